import type { StorageUse } from "../../api/system";
import { bytes, count, share, when } from "../../parts/words";
import { byKind, type Line, parts } from "./space";

/** The disk as one bar: kept, cache, others', free, reserve. */
export function DiskBar({ use }: { use: StorageUse }) {
  const part = parts(use);
  const width = (n: number) => ({ width: `${(100 * n) / Math.max(1, use.disk.total_bytes)}%` });
  const words: [keyof typeof part, string][] = [
    ["kept", "kept"],
    ["cache", "cache, can be made again"],
    ["other", "other programs"],
    ["free", "free"],
    ["reserve", "reserve"],
  ];
  const said = words.map(([key, word]) => `${word} ${bytes(part[key])}`).join(", ");
  return (
    <>
      <div class="disk-bar" role="img" aria-label={said}>
        <i class="kept" style={width(part.kept)} />
        <i class="cache" style={width(part.cache)} />
        <i class="other" style={width(part.other)} />
        <i class="free" />
        <i class="reserve" style={width(part.reserve)} />
      </div>
      <ul class="legend" aria-hidden="true">
        {words.map(([key, word]) => (
          <li key={key}>
            <i class={key} />
            {word}, {bytes(part[key])}
          </li>
        ))}
      </ul>
    </>
  );
}

export function Sizes({ lines, label }: { lines: readonly Line[]; label: string }) {
  const whole = lines.reduce((n, one) => n + one.bytes, 0);
  const largest = Math.max(1, ...lines.map((one) => one.bytes));
  return (
    <table class="sizes" aria-label={label}>
      <tbody>
        {lines.map((one) => (
          <tr key={one.key}>
            <td class="size-word cut">
              {one.word} <span class="second">{one.note}</span>
            </td>
            <td class="second size-files wide-only">{one.files > 1 ? `${count(one.files)} files` : ""}</td>
            <td class="size-bar">
              <i class={one.cache ? "cache" : ""} style={{ width: `${(100 * one.bytes) / largest}%` }} />
            </td>
            <td class="number size-bytes">{bytes(one.bytes)}</td>
            <td class="number second size-share">{share(one.bytes, whole)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function SpaceByKind({ use, brief }: { use: StorageUse; brief?: boolean }) {
  const { disk, measured } = use;
  return (
    <>
      <header>
        <h2>Storage</h2>
        <span class="second">
          {bytes(disk.total_bytes - disk.free_bytes)} used, {bytes(disk.free_bytes)} free
          {measured.at_ms === null ? ", not measured yet" : `, measured ${when(measured.at_ms)}`}
        </span>
        <span class="space" />
        {brief && (
          <a class="button quiet" href="/system/storage">
            What takes the space
          </a>
        )}
      </header>
      <DiskBar use={use} />
      <Sizes lines={byKind(use)} label="Space by kind" />
    </>
  );
}
