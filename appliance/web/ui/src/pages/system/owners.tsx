import type { BlobOwner } from "../../api/system";

const WORDS: Record<string, string> = { image: "Picture", model: "Model", snapshot: "Snapshot", export: "Export", job: "Job" };

/** What a stored file belongs to; a picture leads to its image. */
export function Owners({ owners }: { owners: readonly BlobOwner[] }) {
  if (owners.length === 0) return <span class="second">nothing any more</span>;
  return (
    <ul class="owners">
      {owners.map((one) => (
        <li key={`${one.what}${one.id}`}>
          <span class="second">{WORDS[one.what] ?? one.what}</span>
          {one.what === "image" && one.project_id !== null ? (
            <a class="link" href={`/projects/${one.project_id}/images/${one.id}`}>
              {one.name}
            </a>
          ) : (
            one.name
          )}
        </li>
      ))}
    </ul>
  );
}
