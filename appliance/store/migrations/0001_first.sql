-- The first schema. Every table is STRICT; times are milliseconds since 1970 UTC from the
-- store's own monotonic clock; JSON is TEXT; hashes are 32-byte BLOBs.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Who this box is, whatever its address: browsers keep unsent work by it.
INSERT INTO meta VALUES ('box_id', lower(hex(randomblob(16))));

-- People

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'member')),
    password_hash TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at_ms INTEGER NOT NULL,
    seen_at_ms INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_seen ON sessions (seen_at_ms);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    last_used_at_ms INTEGER
) STRICT;
CREATE INDEX tokens_user ON tokens (user_id);

-- Codes with which somebody sets a forgotten password.
CREATE TABLE resets (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    code_hash BLOB NOT NULL,
    tries INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE limits (
    key TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at_ms INTEGER NOT NULL,
    blocked_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX limits_last ON limits (last_at_ms);

-- A chain: each line's hash is over its content and the hash of the line before (store/chain.py).
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    user_id INTEGER,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    project_id INTEGER,
    details TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_project ON audit (project_id, id);
CREATE INDEX audit_user ON audit (user_id, id);
CREATE INDEX audit_action ON audit (action, id);
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Bytes

CREATE TABLE blobs (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    size_bytes INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    encoding TEXT NOT NULL CHECK (encoding IN ('plain', 'zstd')),
    created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_created ON blobs (created_at_ms);

-- All blobs together; kept by triggers so that no page counts rows.
CREATE TABLE blob_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    files INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO blob_totals VALUES (1, 0, 0);
CREATE TRIGGER blobs_counted_insert AFTER INSERT ON blobs
BEGIN UPDATE blob_totals SET files = files + 1, stored_bytes = stored_bytes + new.stored_bytes; END;

-- Blobs whose file the last reading found broken or gone. No foreign key: it would keep them from the collector.
CREATE TABLE damage (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    fault TEXT NOT NULL CHECK (fault IN ('damaged', 'missing')),
    found_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER blobs_counted_delete AFTER DELETE ON blobs
BEGIN
    UPDATE blob_totals SET files = files - 1, stored_bytes = stored_bytes - old.stored_bytes;
    DELETE FROM damage WHERE sha256 = old.sha256;
END;

-- Every reading of all blobs, finished or not.
CREATE TABLE scrubs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL UNIQUE,
    started_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    files INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    faults INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What takes the space, as the last measuring found it; project 0 is none.
CREATE TABLE storage_uses (
    kind TEXT NOT NULL,
    project_id INTEGER NOT NULL,
    age TEXT NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (kind, project_id, age)
) STRICT, WITHOUT ROWID;
CREATE TABLE storage_largest (
    place INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    project_id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- Projects

-- `sha256` names the content: that of the only file, or of the list of files (store/models.py).
CREATE TABLE models (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    family TEXT NOT NULL,
    task TEXT NOT NULL,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    size_bytes INTEGER NOT NULL,
    info TEXT NOT NULL,
    metrics TEXT NOT NULL DEFAULT '{}',
    provenance TEXT NOT NULL,
    created_by INTEGER REFERENCES users ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    archived_at_ms INTEGER,
    UNIQUE (name, version)
) STRICT;
CREATE INDEX models_created_by ON models (created_by);

-- A model's files by their role: `weights`, or `encoder` and `decoder`.
CREATE TABLE model_files (
    model_id INTEGER NOT NULL REFERENCES models ON DELETE CASCADE,
    role TEXT NOT NULL,
    sha256 BLOB NOT NULL REFERENCES blobs,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (model_id, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX model_files_sha256 ON model_files (sha256);

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    guideline TEXT NOT NULL DEFAULT '',
    -- Which images are reviewed, by whom (`ReviewPolicy`); whether a picture is in the sample hangs on a key
    -- that nobody is told, so that nobody can know it while they work.
    review_policy TEXT NOT NULL,
    sample_key BLOB NOT NULL DEFAULT (randomblob(16)),
    queue_order TEXT NOT NULL DEFAULT 'oldest'
        CHECK (queue_order IN ('manual', 'oldest', 'random', 'uncertain')),
    model_id INTEGER REFERENCES models ON DELETE SET NULL,
    next_class_index INTEGER NOT NULL DEFAULT 0,
    created_by INTEGER REFERENCES users ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    active_at_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX projects_model ON projects (model_id);
CREATE INDEX projects_created_by ON projects (created_by);

CREATE TABLE members (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'reviewer', 'annotator')),
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_user ON members (user_id);

-- Links that make one account each, with a role and, where they say so, a place in a project.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    secret_hash BLOB NOT NULL UNIQUE,
    note TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'member')),
    project_id INTEGER REFERENCES projects ON DELETE CASCADE,
    project_role TEXT CHECK (project_role IN ('admin', 'reviewer', 'annotator')),
    created_by INTEGER REFERENCES users ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    used_by INTEGER REFERENCES users ON DELETE SET NULL,
    used_at_ms INTEGER,
    CHECK ((project_id IS NULL) = (project_role IS NULL))
) STRICT;
CREATE INDEX invitations_project ON invitations (project_id);
CREATE INDEX invitations_created_by ON invitations (created_by);
CREATE INDEX invitations_used_by ON invitations (used_by);
CREATE INDEX invitations_expires ON invitations (expires_at_ms);

CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    class_index INTEGER NOT NULL,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    hotkey TEXT,
    attributes TEXT NOT NULL DEFAULT '[]',
    skeleton TEXT,
    UNIQUE (project_id, class_index),
    UNIQUE (project_id, name)
) STRICT;

CREATE TABLE images (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL,
    width INTEGER NOT NULL CHECK (width > 0),
    height INTEGER NOT NULL CHECK (height > 0),
    sha256 BLOB NOT NULL REFERENCES blobs,
    size_bytes INTEGER NOT NULL,
    format TEXT NOT NULL,
    orientation INTEGER NOT NULL,
    needs_rendition INTEGER NOT NULL CHECK (needs_rendition IN (0, 1)),
    revision INTEGER NOT NULL DEFAULT 0,
    annotations INTEGER NOT NULL DEFAULT 0,
    predictions INTEGER NOT NULL DEFAULT 0,
    threads INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'in_progress', 'in_review', 'done', 'returned', 'skipped')),
    assignee_id INTEGER,
    created_at_ms INTEGER NOT NULL,
    job_id INTEGER,
    folder TEXT NOT NULL GENERATED ALWAYS AS ('/' || rtrim(rtrim(name, replace(name, '/', '')), '/')) VIRTUAL,
    UNIQUE (project_id, sha256)
) STRICT;
CREATE UNIQUE INDEX images_name ON images (project_id, name);
CREATE INDEX images_project ON images (project_id, id);
CREATE INDEX images_state ON images (project_id, state, id);
CREATE INDEX images_assignee ON images (project_id, assignee_id, id);
CREATE INDEX images_folder ON images (project_id, folder, id);
CREATE INDEX images_job ON images (project_id, job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX images_sha256 ON images (sha256);
CREATE INDEX images_threads ON images (project_id, id) WHERE threads > 0;

-- Any three characters of a name lead to its images, whatever their number.
CREATE VIRTUAL TABLE image_names USING fts5(
    name, content = 'images', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
CREATE TRIGGER images_named_insert AFTER INSERT ON images
BEGIN INSERT INTO image_names (rowid, name) VALUES (new.id, new.name); END;
CREATE TRIGGER images_named_delete AFTER DELETE ON images
BEGIN INSERT INTO image_names (image_names, rowid, name) VALUES ('delete', old.id, old.name); END;

-- How many images of a project lie in each folder; kept by triggers like `image_counts`.
CREATE TABLE folder_counts (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    folder TEXT NOT NULL,
    images INTEGER NOT NULL,
    PRIMARY KEY (project_id, folder)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER images_filed_insert AFTER INSERT ON images
BEGIN
    INSERT INTO folder_counts VALUES (new.project_id, new.folder, 1)
    ON CONFLICT DO UPDATE SET images = images + 1;
END;
CREATE TRIGGER images_filed_delete AFTER DELETE ON images
BEGIN
    UPDATE folder_counts SET images = images - 1 WHERE project_id = old.project_id AND folder = old.folder;
    DELETE FROM folder_counts WHERE project_id = old.project_id AND folder = old.folder AND images = 0;
END;

-- How many images of a project are in each state; kept by triggers so that no page counts rows.
CREATE TABLE image_counts (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    state TEXT NOT NULL,
    images INTEGER NOT NULL,
    PRIMARY KEY (project_id, state)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER images_counted_insert AFTER INSERT ON images
BEGIN
    INSERT INTO image_counts VALUES (new.project_id, new.state, 1)
    ON CONFLICT DO UPDATE SET images = images + 1;
END;
CREATE TRIGGER images_counted_delete AFTER DELETE ON images
BEGIN
    UPDATE image_counts SET images = images - 1 WHERE project_id = old.project_id AND state = old.state;
END;
CREATE TRIGGER images_counted_state AFTER UPDATE OF state ON images WHEN new.state IS NOT old.state
BEGIN
    UPDATE image_counts SET images = images - 1 WHERE project_id = old.project_id AND state = old.state;
    INSERT INTO image_counts VALUES (new.project_id, new.state, 1)
    ON CONFLICT DO UPDATE SET images = images + 1;
END;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    image_id INTEGER NOT NULL UNIQUE REFERENCES images ON DELETE CASCADE,
    round INTEGER NOT NULL DEFAULT 1,
    state TEXT NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'in_progress', 'in_review', 'done', 'returned', 'skipped')),
    assignee_id INTEGER REFERENCES users ON DELETE SET NULL,
    -- Given to the assignee by hand: nobody else gets it, however long it lies.
    assigned INTEGER NOT NULL DEFAULT 0 CHECK (assigned IN (0, 1)),
    reviewer_id INTEGER REFERENCES users ON DELETE SET NULL,
    -- How many people's approval stands for what is on the image now.
    approvals INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER,
    due_ms INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(due_at_ms, 9223372036854775807)) VIRTUAL,
    -- The places of the task in the orders a queue can have.
    place INTEGER NOT NULL DEFAULT 0,
    shuffle INTEGER NOT NULL DEFAULT 0,
    uncertainty REAL NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    lease_until_ms INTEGER,
    reason TEXT,
    updated_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX tasks_state ON tasks (project_id, state, id);
CREATE INDEX tasks_person ON tasks (assignee_id, project_id, state, priority DESC, due_ms, id)
    WHERE assignee_id IS NOT NULL;
CREATE INDEX tasks_holder ON tasks (assignee_id, project_id, state, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX tasks_reviewer ON tasks (reviewer_id, state);
-- The queues: whatever is next stands first in one of these.
CREATE INDEX tasks_manual ON tasks (project_id, priority DESC, due_ms, place, id)
    WHERE state = 'open' AND assignee_id IS NULL;
CREATE INDEX tasks_oldest ON tasks (project_id, priority DESC, due_ms, id)
    WHERE state = 'open' AND assignee_id IS NULL;
CREATE INDEX tasks_random ON tasks (project_id, priority DESC, due_ms, shuffle, id)
    WHERE state = 'open' AND assignee_id IS NULL;
CREATE INDEX tasks_uncertain ON tasks (project_id, priority DESC, due_ms, uncertainty DESC, id)
    WHERE state = 'open' AND assignee_id IS NULL;
CREATE INDEX tasks_returned ON tasks (project_id, priority DESC, due_ms, id)
    WHERE state = 'returned' AND assignee_id IS NULL;
CREATE INDEX tasks_abandoned ON tasks (project_id, lease_until_ms) WHERE state = 'in_progress' AND assigned = 0;
CREATE INDEX tasks_review ON tasks (project_id, priority DESC, due_ms, id) WHERE state = 'in_review';
CREATE INDEX tasks_due ON tasks (project_id, assignee_id, due_at_ms)
    WHERE due_at_ms IS NOT NULL AND state IN ('open', 'in_progress', 'returned');
-- In the order of images, for their list: what is wanted by a time, and what is not as urgent as most.
CREATE INDEX tasks_planned ON tasks (project_id, image_id, due_at_ms)
    WHERE due_at_ms IS NOT NULL AND state IN ('open', 'in_progress', 'returned');
CREATE INDEX tasks_urgent ON tasks (project_id, priority, image_id) WHERE priority <> 0;
-- For moving to the front or the end of the order made by hand.
CREATE INDEX tasks_place ON tasks (project_id, place) WHERE place <> 0;
-- An approval is one of what the approver saw: whatever changes the image in review voids it.
CREATE TRIGGER tasks_approved AFTER UPDATE OF revision ON images WHEN new.state = 'in_review'
BEGIN UPDATE tasks SET approvals = 0 WHERE image_id = new.id AND approvals > 0; END;
-- State and assignee of the image's task are kept beside the image, so that lists filter by them in one index.
CREATE TRIGGER tasks_state AFTER UPDATE OF state ON tasks WHEN new.state IS NOT old.state
BEGIN UPDATE images SET state = new.state WHERE id = new.image_id; END;
CREATE TRIGGER tasks_assigned AFTER UPDATE OF assignee_id ON tasks WHEN new.assignee_id IS NOT old.assignee_id
BEGIN UPDATE images SET assignee_id = new.assignee_id WHERE id = new.image_id; END;

-- Which model a project used when, oldest first; `before_id` is what a roll back returns to.
CREATE TABLE activations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    model_id INTEGER REFERENCES models ON DELETE SET NULL,
    model_name TEXT,
    before_id INTEGER REFERENCES activations ON DELETE SET NULL,
    rolled_back INTEGER NOT NULL DEFAULT 0 CHECK (rolled_back IN (0, 1)),
    user_id INTEGER REFERENCES users ON DELETE SET NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX activations_project ON activations (project_id, id);
CREATE INDEX activations_model ON activations (model_id);
CREATE INDEX activations_before ON activations (before_id);
CREATE INDEX activations_user ON activations (user_id);

-- Which model answers the clicks of a project; without a row the built-in segmenter does.
CREATE TABLE project_segmenters (
    project_id INTEGER PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    model_id INTEGER NOT NULL REFERENCES models ON DELETE CASCADE
) STRICT;
CREATE INDEX project_segmenters_model ON project_segmenters (model_id);
CREATE INDEX models_task ON models (task, id);

-- What a person decided of a model's label in a project; without a row its name decides.
CREATE TABLE model_labels (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    model_id INTEGER NOT NULL REFERENCES models ON DELETE CASCADE,
    class_index INTEGER NOT NULL,
    label_id INTEGER REFERENCES labels ON DELETE SET NULL,
    ignored INTEGER NOT NULL DEFAULT 0 CHECK (ignored IN (0, 1)),
    confidence REAL,
    PRIMARY KEY (project_id, model_id, class_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX model_labels_model ON model_labels (model_id);
CREATE INDEX model_labels_label ON model_labels (label_id) WHERE label_id IS NOT NULL;

-- Annotations

-- Clustered by image: opening an image is one range read. A box has no `geometry`: its bounds say all.
CREATE TABLE annotations (
    image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
    id TEXT NOT NULL,
    label_id INTEGER NOT NULL REFERENCES labels,
    type TEXT NOT NULL,
    x1 REAL NOT NULL,
    y1 REAL NOT NULL,
    x2 REAL NOT NULL,
    y2 REAL NOT NULL,
    geometry BLOB,
    attributes TEXT,
    source TEXT NOT NULL CHECK (source IN ('manual', 'model', 'import')),
    status TEXT NOT NULL CHECK (status IN ('draft', 'approved', 'rejected')),
    revision INTEGER NOT NULL,
    confidence REAL,
    model_id INTEGER REFERENCES models ON DELETE SET NULL,
    author_id INTEGER REFERENCES users ON DELETE SET NULL,
    PRIMARY KEY (image_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX annotations_label ON annotations (label_id, image_id);
CREATE INDEX annotations_model ON annotations (model_id) WHERE model_id IS NOT NULL;
-- Of predictions only: what nobody has touched is what its confidence speaks for.
CREATE INDEX annotations_confidence ON annotations (image_id, confidence)
    WHERE source = 'model' AND status = 'draft' AND author_id IS NULL;
CREATE INDEX annotations_author ON annotations (author_id) WHERE author_id IS NOT NULL;

-- How many annotations a label has of each sort; kept by triggers so that no page counts rows.
CREATE TABLE annotation_counts (
    label_id INTEGER NOT NULL REFERENCES labels ON DELETE CASCADE,
    sort TEXT NOT NULL CHECK (sort IN ('manual', 'import', 'accepted', 'prediction', 'rejected')),
    annotations INTEGER NOT NULL,
    PRIMARY KEY (label_id, sort)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER annotations_counted_insert AFTER INSERT ON annotations
BEGIN
    INSERT INTO annotation_counts VALUES (
        new.label_id,
        CASE WHEN new.status = 'rejected' THEN 'rejected' WHEN new.source <> 'model' THEN new.source
            WHEN new.status = 'draft' AND new.author_id IS NULL THEN 'prediction' ELSE 'accepted' END,
        1
    ) ON CONFLICT DO UPDATE SET annotations = annotations + 1;
END;
CREATE TRIGGER annotations_counted_delete AFTER DELETE ON annotations
BEGIN
    UPDATE annotation_counts SET annotations = annotations - 1 WHERE label_id = old.label_id AND sort =
        CASE WHEN old.status = 'rejected' THEN 'rejected' WHEN old.source <> 'model' THEN old.source
            WHEN old.status = 'draft' AND old.author_id IS NULL THEN 'prediction' ELSE 'accepted' END;
END;

-- Every revision of every image. Revisions of one transaction share `at_ms`: image and revision, which end
-- each index of this table, put them in order.
CREATE TABLE history (
    image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    diff_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('edit', 'late', 'submit', 'take-back', 'review', 'withdraw', 'relabel',
        'restore', 'auto-label', 'import', 'undo')),
    author_id INTEGER,
    job_id INTEGER,
    at_ms INTEGER NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    changes BLOB NOT NULL,
    PRIMARY KEY (image_id, revision)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX history_diff ON history (image_id, diff_id);
CREATE INDEX history_kind ON history (project_id, kind, at_ms);
CREATE INDEX history_author ON history (project_id, author_id, kind, at_ms) WHERE author_id IS NOT NULL;
CREATE INDEX history_job ON history (job_id, at_ms) WHERE job_id IS NOT NULL;

-- What a job did to tasks, to take it back: the fields before and after.
CREATE TABLE task_changes (
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    PRIMARY KEY (job_id, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_changes_image ON task_changes (image_id);

-- Images that the undoing of an import took away, to bring them back.
CREATE TABLE withdrawn (
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    image_id INTEGER NOT NULL,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    sha256 BLOB NOT NULL REFERENCES blobs,
    image TEXT NOT NULL,
    changes BLOB NOT NULL,
    PRIMARY KEY (job_id, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawn_project ON withdrawn (project_id, sha256);
CREATE INDEX withdrawn_sha256 ON withdrawn (sha256);

-- Diffs that came when their image was in review or done: kept beside it until somebody decides.
CREATE TABLE late (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
    author_id INTEGER REFERENCES users ON DELETE SET NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'applied', 'dismissed')),
    diff_id TEXT NOT NULL,
    diff TEXT NOT NULL,
    decided_by INTEGER REFERENCES users ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (image_id, diff_id)
) STRICT;
CREATE INDEX late_project ON late (project_id, state, id);
CREATE INDEX late_image ON late (image_id, state, id);
CREATE INDEX late_author ON late (author_id);
CREATE INDEX late_decided_by ON late (decided_by);

CREATE TABLE reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id INTEGER NOT NULL REFERENCES tasks ON DELETE CASCADE,
    image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    reviewer_id INTEGER REFERENCES users ON DELETE SET NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'return')),
    reason TEXT,
    verdicts TEXT NOT NULL,
    round INTEGER NOT NULL,
    -- The revision of the image behind the verdict: an approval stands until the image has another one.
    stands_at INTEGER NOT NULL,
    final INTEGER NOT NULL CHECK (final IN (0, 1)),
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX reviews_image ON reviews (image_id, id);
CREATE INDEX reviews_task ON reviews (task_id);
CREATE INDEX reviews_reviewer ON reviews (reviewer_id);

-- Threads of comments on an image: pinned to an annotation, to a point, or to nothing. The annotation is no
-- foreign key: a thread outlives it and falls back to its point. `images.threads` counts the unresolved.
CREATE TABLE threads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
    number INTEGER NOT NULL,
    annotation_id TEXT,
    x REAL,
    y REAL,
    author_id INTEGER REFERENCES users ON DELETE SET NULL,
    review_id INTEGER REFERENCES reviews ON DELETE SET NULL,
    comments INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1)),
    resolved_by INTEGER REFERENCES users ON DELETE SET NULL,
    resolved_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (image_id, number)
) STRICT;
CREATE INDEX threads_project ON threads (project_id);
CREATE INDEX threads_author ON threads (author_id);
CREATE INDEX threads_review ON threads (review_id) WHERE review_id IS NOT NULL;
CREATE INDEX threads_resolved_by ON threads (resolved_by) WHERE resolved_by IS NOT NULL;

-- `key` is made by the client, so that a comment sent again is the same one.
CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id INTEGER NOT NULL REFERENCES threads ON DELETE CASCADE,
    image_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    author_id INTEGER REFERENCES users ON DELETE SET NULL,
    text TEXT NOT NULL,
    mentions TEXT NOT NULL DEFAULT '[]',
    created_at_ms INTEGER NOT NULL,
    edited_at_ms INTEGER,
    deleted_at_ms INTEGER,
    UNIQUE (image_id, key)
) STRICT;
CREATE INDEX comments_thread ON comments (thread_id, id);
CREATE INDEX comments_author ON comments (author_id);

-- What each member has not read: one row for each comment of others, until it is.
CREATE TABLE unread (
    user_id INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    image_id INTEGER NOT NULL,
    comment_id INTEGER NOT NULL REFERENCES comments ON DELETE CASCADE,
    thread_id INTEGER NOT NULL,
    mentioned INTEGER NOT NULL CHECK (mentioned IN (0, 1)),
    PRIMARY KEY (user_id, project_id, image_id, comment_id),
    FOREIGN KEY (project_id, user_id) REFERENCES members ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX unread_comment ON unread (comment_id);
CREATE INDEX unread_member ON unread (project_id, user_id);

-- Insights: what people and models did, by day (since 1970, UTC), added up as it happens so that no page
-- reads history. user_id, label_id and step are 0 where the measure has none.
CREATE TABLE insights (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    measure TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    label_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (project_id, hour, measure, user_id, label_id, step)
) STRICT, WITHOUT ROWID;
-- What became of a done image's predictions, to take it back when the image is done anew.
CREATE TABLE outcomes (
    image_id INTEGER PRIMARY KEY REFERENCES images ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    tally TEXT NOT NULL
) STRICT;
-- When somebody last handed an image of the project in: the next one's time counts from there.
CREATE TABLE submissions (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX submissions_user ON submissions (user_id);
-- The time that the last submission of an image was counted with, to take it back; one that was taken
-- back (counted 0) goes on with the next submission of the same person.
CREATE TABLE time_samples (
    image_id INTEGER PRIMARY KEY REFERENCES images ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    worked_ms INTEGER NOT NULL,
    counted INTEGER NOT NULL CHECK (counted IN (0, 1))
) STRICT;
CREATE INDEX time_samples_user ON time_samples (user_id);
-- Up to when a person's clock is used up by the time their browsers measured: nobody works longer than time passes.
CREATE TABLE clocks (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    until_ms INTEGER NOT NULL
) STRICT;

-- Datasets and machine work

CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL,
    contents TEXT NOT NULL CHECK (contents IN ('approved', 'everything')),
    manifest_sha256 BLOB NOT NULL REFERENCES blobs,
    images INTEGER NOT NULL,
    annotations INTEGER NOT NULL,
    summary TEXT NOT NULL,
    seed INTEGER NOT NULL,
    created_by INTEGER REFERENCES users ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (project_id, name)
) STRICT;
CREATE INDEX snapshots_project ON snapshots (project_id, id);
CREATE INDEX snapshots_manifest ON snapshots (manifest_sha256);
CREATE INDEX snapshots_created_by ON snapshots (created_by);

-- What kept a project's last snapshot of approved work from being made; gone once one is made. `problems`
-- counts them all, of which the first are kept.
CREATE TABLE validations (
    project_id INTEGER PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    job_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    images INTEGER NOT NULL,
    problems INTEGER NOT NULL,
    counts TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE validation_problems (
    project_id INTEGER NOT NULL REFERENCES validations ON DELETE CASCADE,
    number INTEGER NOT NULL,
    image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
    annotation_id TEXT,
    code TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (project_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX validation_problems_image ON validation_problems (image_id);

-- The pictures a snapshot needs, so that they outlive the deletion of an image.
CREATE TABLE snapshot_pictures (
    snapshot_id INTEGER NOT NULL REFERENCES snapshots ON DELETE CASCADE,
    sha256 BLOB NOT NULL REFERENCES blobs,
    PRIMARY KEY (snapshot_id, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshot_pictures_sha256 ON snapshot_pictures (sha256);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'done', 'failed', 'cancelled')),
    wanted TEXT CHECK (wanted IN ('pause', 'cancel')),
    project_id INTEGER REFERENCES projects ON DELETE CASCADE,
    parameters TEXT NOT NULL,
    checkpoint TEXT,
    progress INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    result TEXT,
    error TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_by INTEGER REFERENCES users ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER,
    finished_at_ms INTEGER
) STRICT;
CREATE INDEX jobs_queue ON jobs (lane, state, priority DESC, id);
CREATE INDEX jobs_project ON jobs (project_id, id);
CREATE INDEX jobs_state ON jobs (state, id);
CREATE INDEX jobs_created_by ON jobs (created_by);
CREATE INDEX jobs_tiles ON jobs (parameters ->> '$.sha256', id) WHERE kind = 'tiles';
CREATE INDEX jobs_undo ON jobs (parameters ->> '$.job_id', id) WHERE kind = 'undo';

CREATE TABLE job_notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    file TEXT,
    count INTEGER NOT NULL
) STRICT;
CREATE INDEX job_notes_job ON job_notes (job_id, id);

-- Bytes a job came with (an uploaded archive, say), kept until it is over and its notes are read.
CREATE TABLE job_blobs (
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    sha256 BLOB NOT NULL REFERENCES blobs,
    PRIMARY KEY (job_id, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_blobs_sha256 ON job_blobs (sha256);

-- Files on their way in (tus). Their bytes lie in uploads/ID, durable up to `offset_bytes`; a finished
-- one stays until it expires, so that whoever lost the answer can ask what became of it.
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('picture', 'dataset')),
    state TEXT NOT NULL CHECK (state IN ('receiving', 'ready', 'done', 'failed')),
    length_bytes INTEGER NOT NULL,
    offset_bytes INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    batch_id INTEGER REFERENCES uploads ON DELETE SET NULL,
    image_id INTEGER REFERENCES images ON DELETE SET NULL,
    duplicate INTEGER NOT NULL DEFAULT 0 CHECK (duplicate IN (0, 1)),
    problem TEXT,
    job_id INTEGER REFERENCES jobs ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_project ON uploads (project_id);
CREATE INDEX uploads_unfinished ON uploads (user_id, id) WHERE state = 'receiving';
CREATE INDEX uploads_user ON uploads (user_id);
CREATE INDEX uploads_whole ON uploads (id) WHERE state = 'receiving' AND offset_bytes = length_bytes;
CREATE INDEX uploads_batch ON uploads (batch_id, id) WHERE batch_id IS NOT NULL;
CREATE INDEX uploads_image ON uploads (image_id) WHERE image_id IS NOT NULL;
CREATE INDEX uploads_job ON uploads (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX uploads_expires ON uploads (expires_at_ms);

CREATE TABLE exports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    snapshot_id INTEGER NOT NULL REFERENCES snapshots ON DELETE CASCADE,
    format TEXT NOT NULL,
    job_id INTEGER NOT NULL UNIQUE REFERENCES jobs ON DELETE CASCADE,
    sha256 BLOB REFERENCES blobs,
    size_bytes INTEGER,
    notes TEXT NOT NULL DEFAULT '[]',
    created_by INTEGER REFERENCES users ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX exports_project ON exports (project_id, id);
CREATE INDEX exports_snapshot ON exports (snapshot_id);
CREATE INDEX exports_created_by ON exports (created_by);
CREATE INDEX exports_sha256 ON exports (sha256) WHERE sha256 IS NOT NULL;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    project_id INTEGER,
    user_id INTEGER,
    data TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
-- When something last happened in a project, right to a minute, so that a busy one is not written at every save.
CREATE TRIGGER events_active AFTER INSERT ON events WHEN new.project_id IS NOT NULL
BEGIN
    UPDATE projects SET active_at_ms = new.at_ms WHERE id = new.project_id AND active_at_ms <= new.at_ms - 60000;
END;
