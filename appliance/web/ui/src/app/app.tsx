import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { http, projects } from "../api/client";
import type { Label } from "../api/types";
import { same } from "../editor/same";
import { Setup, SignIn } from "../pages/sign-in";
import { OutOfReach } from "../pages/out-of-reach";
import { Projects } from "../pages/projects";
import { Button, Empty, Fault } from "../parts/controls";
import { Waiting } from "../parts/waiting";
import { labelsOf } from "./early";
import { Help, helpOpen } from "./help";
import { useKeys } from "./keys";
import { lazy } from "./lazy";
import { Notices } from "./notices";
import { currentProject, type ProjectPageProps } from "./project";
import { choose, go, type Params, path, place } from "./router";
import { events, loadSession, session, standing, trouble } from "./session";
import { Shell } from "./shell";
import { SignOutWarning } from "./sign-out";
import { useEvents, useLoad } from "./use";
import { whenIdle } from "./when-idle";

const Register = lazy(async () => (await import("../pages/register")).Register);
const Reset = lazy(async () => (await import("../pages/reset")).Reset);
const TrustPage = lazy(async () => (await import("../pages/trust")).TrustPage);
const Images = lazy(async () => (await import("../pages/images/images")).Images);
const Annotate = lazy(async () => (await import("../workbench/annotate")).Annotate);
const Review = lazy(async () => (await import("../workbench/review")).Review);
const Dataset = lazy(async () => (await import("../pages/dataset/dataset")).Dataset);
const Models = lazy(async () => (await import("../pages/models")).Models);
const Settings = lazy(async () => (await import("../pages/settings/settings")).Settings);
const Insights = lazy(async () => (await import("../pages/insights")).Insights);
const Work = lazy(async () => (await import("../pages/work")).Work);
const History = lazy(async () => (await import("../pages/history")).History);
const Account = lazy(async () => (await import("../pages/account")).Account);
const Health = lazy(async () => (await import("../pages/system/health")).Health);
const Storage = lazy(async () => (await import("../pages/system/storage")).Storage);
const StoredFiles = lazy(async () => (await import("../pages/system/files")).StoredFiles);
const Users = lazy(async () => (await import("../pages/system/users")).Users);
const Audit = lazy(async () => (await import("../pages/audit")).Audit);
const Jobs = lazy(async () => (await import("../pages/jobs")).Jobs);

const IN_PROJECT: readonly [string, ComponentType<ProjectPageProps>][] = [
  ["/projects/:project/images", Images],
  ["/projects/:project/images/:image", OneImage],
  ["/projects/:project/annotate", Annotate],
  ["/projects/:project/review", Review],
  ["/projects/:project/dataset", Dataset],
  ["/projects/:project/models", Models],
  ["/projects/:project/insights", Insights],
  ["/projects/:project/work", Work],
  ["/projects/:project/history", History],
  ["/projects/:project/settings", Settings],
];

/** The address of one image is a place in the Browse walk. */
function OneImage({ project, params }: ProjectPageProps) {
  useEffect(() => {
    const query = new URLSearchParams(place.value.query);
    query.set("image", params.image);
    go(`/projects/${project.id}/annotate?${query}`, "replace");
  }, [project.id, params.image]);
  return null;
}

const BoxModels = () => <Models />;

const OF_BOX: readonly [string, ComponentType][] = [
  ["/", Projects],
  ["/jobs", Jobs],
  ["/models", BoxModels],
  ["/account", Account],
];

const OF_ADMINS: readonly [string, ComponentType][] = [
  ["/system", Health],
  ["/system/storage", Storage],
  ["/system/files", StoredFiles],
  ["/system/users", Users],
  ["/system/audit", Audit],
];

export function App() {
  useKeys({ help: () => void (helpOpen.value = !helpOpen.value) });
  return (
    <>
      <Page />
      <Notices />
      <SignOutWarning />
      <Help />
    </>
  );
}

function Page() {
  if (path.value === "/trust") return <TrustPage />;
  switch (standing.value) {
    case "unknown":
      if (trouble.value?.transient) return <OutOfReach />;
      return trouble.value ? (
        <main class="sheet alone">
          <Fault problem={trouble.value} retry={() => void loadSession()} />
        </main>
      ) : null;
    case "setup":
      return <Setup />;
    case "signed-out":
      return path.value === "/register" ? <Register /> : path.value === "/reset" ? <Reset /> : <SignIn />;
    case "signed-in":
      return <SignedIn />;
  }
}

function SignedIn() {
  const administers = session.value?.permissions.administer ?? false;
  const box = choose(administers ? [...OF_BOX, ...OF_ADMINS] : OF_BOX, path.value);
  if (box) {
    const Found = box.value;
    return (
      <Shell>
        <Found />
      </Shell>
    );
  }
  const inside = choose(IN_PROJECT, path.value);
  if (inside) return <InProject page={inside.value} params={inside.params} />;
  const bare = choose([["/projects/:project", true]], path.value);
  if (bare) go(`/projects/${bare.params.project}/images`, "replace");
  else if (["/register", "/reset", "/setup", "/sign-in"].includes(path.value)) go("/", "replace");
  return (
    <Shell>
      <main class="sheet">
        <header>
          <h1>No such page</h1>
        </header>
        <Empty action={<Button onClick={() => go("/")}>All projects</Button>}>This address leads nowhere.</Empty>
      </main>
    </Shell>
  );
}

function InProject({ page: Found, params }: { page: ComponentType<ProjectPageProps>; params: Params }) {
  const id = Number(params.project);
  // Asked for at every change of a task: while they are the same, what is drawn with them stays.
  const labelsNow = useRef<Label[]>([]);
  const loaded = useLoad(async () => {
    const [project, labels] = await Promise.all([projects.get(id), labelsOf(id)]);
    return { project, labels: (labelsNow.current = same(labels, labelsNow.current) ? labelsNow.current : labels) };
  }, [id]);
  useEvents(
    ["project.changed", "label.changed", "member.changed", "image.added", "image.deleted", "task.changed"],
    id,
    loaded.reload,
  );
  // What was shown from this device's memory is read anew once the box is back.
  useEffect(
    () => events.on("connected", ({ data }) => (!data.first || http.recalled) && loaded.reload()),
    [loaded.reload],
  );
  // Whoever looks at a project is going to open an image.
  useEffect(() => (loaded.value ? whenIdle(() => void import("../workbench/warm").catch(() => undefined)) : undefined), [loaded.value !== null]);
  useEffect(() => {
    currentProject.value = loaded.value?.project ?? null;
    document.title = loaded.value ? `${loaded.value.project.name} · PixelQueue` : "PixelQueue";
  }, [loaded.value]);
  if (!loaded.value) {
    return (
      <Shell project={null}>
        <main class="sheet alone">{loaded.problem ? <Fault problem={loaded.problem} retry={loaded.reload} /> : <Waiting>Reading the project</Waiting>}</main>
      </Shell>
    );
  }
  const { project, labels } = loaded.value;
  return (
    <Shell project={project}>
      <Found key={id} project={project} labels={labels} params={params} reload={loaded.reload} />
    </Shell>
  );
}
