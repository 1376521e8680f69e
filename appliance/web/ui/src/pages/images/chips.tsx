import type { Label, Member } from "../../api/types";
import { DUES, type ImageFilter, isFiltered, noFilter, PRIORITIES } from "../../app/image-filter";
import { setQuery } from "../../app/router";
import { Icon } from "../../parts/icon";
import { TASK_WORDS } from "../../parts/marks";
import { dayOf } from "./days";
import { change, folderName } from "./filters";

interface Chip {
  word: string;
  without: Partial<ImageFilter>;
}

/** Each condition in words, to be taken away one by one. */
export function chipsOf(filter: ImageFilter, labels: readonly Label[], members: readonly Member[]): Chip[] {
  const chips: Chip[] = [];
  const { states, confidence } = filter;
  const named = labels.filter((one) => filter.labels.includes(one.id)).map((one) => one.name);
  if (filter.text) chips.push({ word: `“${filter.text}”`, without: { text: null } });
  if (states.length > 0) chips.push({ word: states.length > 2 ? `${states.length} statuses` : states.map((one) => TASK_WORDS[one]).join(", "), without: { states: [] } });
  if (filter.labels.length > 0) chips.push({ word: named.length > 2 ? `${named.length} labels` : named.join(", ") || "Unknown label", without: { labels: [] } });
  if (confidence) chips.push({ word: `Confidence ${confidence[0].toFixed(2)} to ${confidence[1].toFixed(2)}`, without: { confidence: null } });
  if (filter.splits.length > 0) chips.push({ word: `Split ${filter.splits.join(", ")}`, without: { splits: [] } });
  if (filter.assignee !== null) chips.push({ word: filter.assignee === 0 ? "Nobody’s" : `${members.find((one) => one.user_id === filter.assignee)?.name ?? "Former member"}’s`, without: { assignee: null } });
  if (filter.priorities.length > 0) chips.push({ word: `Priority ${PRIORITIES.filter(([level]) => filter.priorities.includes(level)).map(([, word]) => word.toLowerCase()).join(", ")}`, without: { priorities: [] } });
  if (filter.due) chips.push({ word: DUES.find(([due]) => due === filter.due)?.[1] ?? "", without: { due: null } });
  if (filter.comments) chips.push({ word: "Unresolved comments", without: { comments: null } });
  if (filter.unreadBy !== null) chips.push({ word: "Unread comments", without: { unreadBy: null } });
  if (filter.folder) chips.push({ word: folderName(filter.folder), without: { folder: null } });
  if (filter.job !== null) chips.push({ word: `Import ${filter.job}`, without: { job: null } });
  if (filter.since !== null || filter.until !== null) chips.push({ word: days(filter), without: { since: null, until: null } });
  return chips;
}

function days({ since, until }: ImageFilter): string {
  const last = dayOf(until === null ? null : until - 1);
  if (since === null) return `Until ${last}`;
  if (until === null) return `Since ${dayOf(since)}`;
  return dayOf(since) === last ? last : `${dayOf(since)} to ${last}`;
}

export const clearFilters = (): void => setQuery(noFilter());

export function Chips({ filter, labels, members }: { filter: ImageFilter; labels: Label[]; members: readonly Member[] }) {
  if (!isFiltered(filter)) return null;
  const chips = chipsOf(filter, labels, members);
  return (
    <div class="chips">
      {chips.map(({ word, without }) => (
        <button key={word} class="chip" title={`${word}: take this filter away`} onClick={() => change(filter, without)}>
          <span class="cut">{word}</span>
          <Icon name="close" />
        </button>
      ))}
      {chips.length > 1 && (
        <button class="chip clear" onClick={clearFilters}>
          Clear filters
        </button>
      )}
    </div>
  );
}
