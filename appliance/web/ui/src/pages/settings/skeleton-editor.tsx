import { useRef, useState } from "preact/hooks";

import type { Skeleton } from "../../api/types";
import { Button, IconButton } from "../../parts/controls";
import { addPoint, movePoint, PERSON, placesOf, removePoint, renamePoint, toggleEdge } from "./skeleton";

const SIDE = 320;
const MARGIN = 16;
const ROOM = SIDE - 2 * MARGIN;
const NUDGE = 0.01;
/** With more points their names would cover each other: then only the chosen one shows. */
const NAMES_UP_TO = 8;
const NUDGES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-NUDGE, 0],
  ArrowRight: [NUDGE, 0],
  ArrowUp: [0, -NUDGE],
  ArrowDown: [0, NUDGE],
};

interface Props {
  value: Skeleton | null;
  color: string;
  onChange: (value: Skeleton | null) => void;
}

/** Keypoints of a label: where they lie on a typical one, their names, and the lines between them. */
export function SkeletonEditor({ value, color, onChange }: Props) {
  const [chosen, setChosen] = useState<number | null>(null);
  if (!value) {
    return (
      <fieldset class="skeleton">
        <legend>Skeleton</legend>
        <p class="second small">Named points for the keypoint tool, such as the joints of a hand.</p>
        <div class="actions">
          <Button icon="add" onClick={() => onChange(addPoint({ points: [], edges: [], layout: [] }, 0.5, 0.5))}>
            Draw one
          </Button>
          <Button onClick={() => onChange(PERSON)}>Person, 17 points</Button>
        </div>
      </fieldset>
    );
  }
  const remove = (index: number): void => {
    setChosen(null);
    onChange(removePoint(value, index));
  };
  return (
    <fieldset class="skeleton">
      <legend>Skeleton</legend>
      <div class="skeleton-parts">
        <Board value={value} color={color} chosen={chosen} onChoose={setChosen} onChange={onChange} />
        <ol class="skeleton-points">
          {value.points.map((name, i) => (
            <li key={i} class={i === chosen ? "on" : ""}>
              <span class="mono second">{i + 1}</span>
              <input class="input" aria-label={`Name of point ${i + 1}`} required maxLength={200} value={name} onFocus={() => setChosen(i)} onInput={(event) => onChange(renamePoint(value, i, event.currentTarget.value))} />
              <IconButton icon="close" label={`Delete point ${name}`} onClick={() => remove(i)} />
            </li>
          ))}
        </ol>
      </div>
      <p class="second small">
        Click to add a point, drag to move it. Choose a point, then click another one to join them or to part them.
      </p>
      <div class="actions">
        <Button kind="quiet" onClick={() => onChange(null)}>
          Remove the skeleton
        </Button>
      </div>
    </fieldset>
  );
}

interface BoardProps {
  value: Skeleton;
  color: string;
  chosen: number | null;
  onChoose: (index: number | null) => void;
  onChange: (value: Skeleton) => void;
}

function Board({ value, color, chosen, onChoose, onChange }: BoardProps) {
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<{ index: number; moved: boolean } | null>(null);
  const places = placesOf(value);
  const at = (event: PointerEvent): [number, number] => {
    const box = svg.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    return [
      (((event.clientX - box.left) / box.width) * SIDE - MARGIN) / ROOM,
      (((event.clientY - box.top) / box.height) * SIDE - MARGIN) / ROOM,
    ];
  };
  const press = (index: number): void => {
    if (chosen !== null && chosen !== index) {
      onChange(toggleEdge(value, chosen, index));
      onChoose(null);
    } else onChoose(chosen === index ? null : index);
  };
  const add = (event: PointerEvent): void => {
    if (event.target !== svg.current) return;
    onChange(addPoint(value, ...at(event)));
    onChoose(null);
  };
  const keyed = (event: KeyboardEvent, index: number): void => {
    const step = NUDGES[event.key];
    if (step) onChange(movePoint(value, index, places[index][0] + step[0], places[index][1] + step[1]));
    else if (event.key === "Enter" || event.key === " ") press(index);
    else return;
    event.preventDefault();
  };
  const spot = ([x, y]: readonly [number, number]): [number, number] => [MARGIN + x * ROOM, MARGIN + y * ROOM];
  return (
    <svg ref={svg} class={`skeleton-board ${places.length > NAMES_UP_TO ? "many" : ""}`} viewBox={`0 0 ${SIDE} ${SIDE}`} onPointerUp={add} role="group" aria-label="Skeleton">
      {value.edges.map(([a, b]) => {
        const [[x1, y1], [x2, y2]] = [spot(places[a]), spot(places[b])];
        return <line key={`${a} ${b}`} x1={x1} y1={y1} x2={x2} y2={y2} stroke={color} />;
      })}
      {places.map((place, i) => {
        const [x, y] = spot(place);
        return (
          <g
            key={i}
            class={i === chosen ? "on" : ""}
            tabIndex={0}
            role="button"
            aria-pressed={i === chosen}
            aria-label={`Point ${value.points[i]}`}
            onKeyDown={(event) => keyed(event, i)}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              drag.current = { index: i, moved: false };
            }}
            onPointerMove={(event) => {
              if (drag.current?.index !== i || (event.movementX === 0 && event.movementY === 0)) return;
              drag.current.moved = true;
              onChange(movePoint(value, i, ...at(event)));
            }}
            onPointerUp={() => {
              if (drag.current && !drag.current.moved) press(i);
              drag.current = null;
            }}
          >
            <circle class="reach" cx={x} cy={y} r="14" />
            <circle cx={x} cy={y} r="6" fill={color} />
            <text x={x + 10} y={y - 8}>
              {value.points[i]}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
