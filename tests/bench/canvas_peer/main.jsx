/** The same scene made the usual way: one Line for each polygon, the view as scale and position of the stage. */

import { useState } from "react";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { Circle, Image, Layer, Line, Stage } from "react-konva";

import { frames, HEIGHT, picture, polygons, WIDTH } from "../canvas_page/scene";

const FIT = Math.min((innerWidth - 24) / WIDTH, (innerHeight - 24) / HEIGHT);
const CENTRED = { scale: FIT, x: (innerWidth - WIDTH * FIT) / 2, y: (innerHeight - HEIGHT * FIT) / 2 };
let show = () => undefined;

function Canvas() {
  const [scene, setScene] = useState({ bitmap: null, shapes: [] });
  const [view, setView] = useState(CENTRED);
  const [selected, setSelected] = useState(false);
  show = (next) => flushSync(() => (setScene(next), setView(CENTRED), setSelected(false)));
  show.select = () => flushSync(() => setSelected(true));
  show.fit = () => flushSync(() => setView(CENTRED));
  const zoom = ({ evt }) => {
    evt.preventDefault();
    const factor = Math.exp(-evt.deltaY * 0.0022);
    const { offsetX: x, offsetY: y } = evt;
    setView((old) => ({ scale: old.scale * factor, x: x - (x - old.x) * factor, y: y - (y - old.y) * factor }));
  };
  const move = (event) => {
    const { x, y } = event.target.position();
    setScene(({ bitmap, shapes }) => ({
      bitmap,
      shapes: shapes.map((shape, n) => (n === 0 ? { ...shape, points: [x, y, ...shape.points.slice(2)] } : shape)),
    }));
  };
  const width = 1.5 / view.scale;
  return (
    <Stage
      width={innerWidth} height={innerHeight} scaleX={view.scale} scaleY={view.scale} x={view.x} y={view.y} draggable
      onWheel={zoom} onDragEnd={(event) => event.target === event.target.getStage() && setView((old) => ({ ...old, ...event.target.position() }))}
    >
      <Layer>
        {scene.bitmap && <Image image={scene.bitmap} />}
        {scene.shapes.map(({ points, color }, n) => (
          <Line key={n} points={points} closed stroke={color} strokeWidth={width} fill={`${color}1F`} />
        ))}
        {selected && <Circle x={scene.shapes[0].points[0]} y={scene.shapes[0].points[1]} radius={6 / view.scale} fill="#fff" draggable onDragMove={move} />}
      </Layer>
    </Stage>
  );
}

createRoot(document.getElementById("root")).render(<Canvas />);

let bitmap = null;
Object.assign(window, {
  bench: {
    panButton: "left",
    frames: frames(),
    async open(count, seed = 7) {
      bitmap ??= await picture();
      show({ bitmap, shapes: polygons(count, seed) });
    },
    select: () => show.select(),
    fit: () => show.fit(),
    vertex: () => [(WIDTH / 2 + 200) * FIT + CENTRED.x, (HEIGHT / 2) * FIT + CENTRED.y],
  },
});
