// The drawing of a map, with React Flow under it. It draws and listens; what a map is, how it is
// changed and what is undone are in the files beside this one.
//
// The whole drawing is one stop of the Tab key: arrows go along the ways, and every deed is a button
// above it, so that neither a pointer nor a letter key is needed.

import {
  Background, Handle, MarkerType, Position, ReactFlow, ReactFlowProvider,
  useReactFlow, type Connection, type Edge, type Node, type NodeChange, type NodeProps,
} from '@xyflow/react';
import {useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent} from 'react';
import {createRoot} from 'react-dom/client';

import '@xyflow/react/dist/style.css';

import {
  askAboutStep, askForOptions, askForStep, askForTitle, askForWay, type Catalogue,
} from './asking.ts';
import {AskDialog, type Ask, type Wrong} from './dialog.tsx';
import {
  EditRefused, KIND_WORDS, nameOf, sentence, waysOut,
  type Command, type MapDocument, type Spot, type Step, type Way,
} from './document.ts';
import {Refused, Session, type Answer, type Finding, type Send} from './session.ts';
import {walk, type Arrow} from './walking.ts';

interface Start extends Answer {
  document: MapDocument;
  catalogue: Catalogue;
}

interface StepData extends Record<string, unknown> {
  step: Step;
  label: string;
  codes: string[];
  current: boolean;
}

type Arrange = (map: MapDocument) => Record<string, Spot>;

const ARROWS = new Set(['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight', 'Home', 'End', 'PageDown', 'PageUp']);

function icon(name: string) {
  return <svg className="icon" aria-hidden="true"><use href={`#i-${name === 'rollback' ? 'undo' : name}`} /></svg>;
}

/** A step as it is read aloud: its name, what it is, where it comes from, its ways out, and what is
 * wrong with it. */
function said(map: MapDocument, id: string, findings: readonly Finding[]): string {
  const step = map.nodes[id]!;
  const ways = waysOut(map, id);
  const sources = [...new Set(map.edges.filter((way) => way.dst === id).map((way) => nameOf(map, way.src)))];
  const into = sources.length ? `from ${sources.join(' and ')}` : step.kind === 'trigger' ? 'the map begins' : 'nothing leads here';
  const out = step.kind === 'end' ? 'the case ends' : ways.length === 0 ? 'nothing follows' : ways
    .map((way) => [way.when ? 'when' : '', wordsOf(way), 'to', nameOf(map, way.dst)].filter(Boolean).join(' ')).join('; ');
  const wrong = findings.map((row) => `${row.code}: ${row.says}`).join(' ');
  return `${step.name}, ${KIND_WORDS[step.kind]}. ${into}; ${out}.${wrong ? ` ${wrong}` : ''}`;
}

function wordsOf(way: Way): string {
  if (way.on === 'error') return 'on error';
  if (way.on === 'timeout') return 'no answer';
  const words = way.when ?? (way.default ? 'otherwise' : '');
  return way.max ? `${words} (at most ${way.max})` : words;
}

function StepNode({data}: NodeProps<Node<StepData>>) {
  const {step, label, codes, current} = data;
  const person = step.kind === 'human' || step.kind === 'escalation';
  return (
    <div className={`mapnode mapnode--${step.kind}${person ? ' mapnode--person' : ''}${current ? ' is-sel' : ''}`}
      data-label={label}>
      <Handle type="target" position={Position.Top} aria-hidden="true" tabIndex={-1} />
      <span className="mapnode__kind">{icon(step.kind)}{KIND_WORDS[step.kind]}</span>
      <span className="mapnode__name">{step.name}</span>
      {codes.length > 0 && <span className="mapnode__codes">{codes.join(', ')}</span>}
      <Handle type="source" position={Position.Bottom} aria-hidden="true" tabIndex={-1} />
    </div>
  );
}

const NODE_TYPES = {step: StepNode};

function Canvas({start, send, arrangeWith}: {start: Start; send: Send; arrangeWith: () => Promise<Arrange>}) {
  const [, redraw] = useState(0);
  const session = useRef<Session>(null as unknown as Session);
  session.current ??= new Session(start, send, () => redraw((n) => n + 1));
  const map = session.current.document;
  const {findings} = session.current;

  const [current, setCurrent] = useState<string>(() => Object.keys(map.nodes)[0] ?? '');
  const [from, setFrom] = useState<string | null>(null);
  const [ask, setAsk] = useState<Ask | null>(null);
  const [words, setWords] = useState('');
  const [trouble, setTrouble] = useState('');
  const [spots, setSpots] = useState<Record<string, Spot>>({});
  const [dragged, setDragged] = useState<Record<string, Spot>>({});
  const box = useRef<HTMLDivElement>(null);
  const flow = useReactFlow();

  const at = map.nodes[current] ? current : (Object.keys(map.nodes)[0] ?? '');
  const shape = JSON.stringify([map.nodes, map.edges].map((part) => Object.entries(part).map(
    ([id, row]) => [id, (row as Way).src, (row as Way).dst],
  )));

  useEffect(() => {
    const alone = Object.keys(map.nodes).some((id) => !map.layout?.[id]);
    if (!alone) return;
    let stale = false;
    void arrangeWith().then((arrange) => {
      if (!stale) setSpots(arrange(map));
    });
    return () => {
      stale = true;
    };
  }, [shape, map.layout === undefined]);

  useEffect(() => {
    const timer = setTimeout(() => void flow.fitView({padding: 0.1, maxZoom: 1, duration: 0}), 60);
    return () => clearTimeout(timer);
  }, [spots, flow]);

  // A phone that is turned, or a window made smaller, must not leave the map out of sight.
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let width = frame.current!.clientWidth;
    const watch = new ResizeObserver(() => {
      if (frame.current === null || frame.current.clientWidth === width) return;
      width = frame.current.clientWidth;
      void flow.fitView({padding: 0.1, maxZoom: 1, duration: 0});
    });
    watch.observe(frame.current!);
    return () => watch.disconnect();
  }, [flow]);

  const run = useCallback(async (command: Command): Promise<readonly Wrong[]> => {
    setTrouble('');
    try {
      const done = await session.current.run(command);
      setWords(`${done.says}.`);
      if (done.at !== null) setCurrent(done.at);
      return [];
    } catch (problem) {
      if (problem instanceof Refused) {
        return problem.problems.length ? problem.problems : [{field: null, message: problem.message}];
      }
      if (problem instanceof EditRefused) return [{field: problem.field, message: problem.message}];
      throw problem;
    }
  }, []);

  /** A deed without a dialog: what is wrong is told above the drawing. */
  const deed = useCallback(async (command: Command) => {
    const wrong = await run(command);
    if (wrong.length) setTrouble(wrong.map((row) => row.message).join(' '));
  }, [run]);

  const turnBack = async (which: 'undo' | 'redo') => {
    setTrouble('');
    try {
      setWords(`${await session.current[which]()}.`);
    } catch (problem) {
      setTrouble(problem instanceof Error ? problem.message : String(problem));
    }
  };

  const {catalogue} = start;
  const add = () => setAsk(askForStep(map, catalogue, at || null, run));
  const edit = () => at && setAsk(askAboutStep(map, catalogue, at, run));
  const connect = (dst?: string, src = at) => src && setAsk(askForWay(map, catalogue, src, run, {dst}));

  const focusDrawing = () => setTimeout(() => {
    const chosen = box.current?.querySelector<HTMLElement>('[tabindex="0"]') ?? box.current;
    chosen?.focus({preventScroll: true});
  });
  const close = () => {
    setAsk(null);
    focusDrawing();
  };

  const keys = (event: KeyboardEvent<HTMLElement>) => {
    const {key} = event;
    const meta = event.ctrlKey || event.metaKey;
    if (meta && key.toLowerCase() === 'z') void turnBack(event.shiftKey ? 'redo' : 'undo');
    else if (meta && key.toLowerCase() === 'y') void turnBack('redo');
    else if (meta || !at) return;
    else if (event.altKey && key.startsWith('Arrow')) {
      const [x, y] = spotOf(at);
      const dx = key === 'ArrowLeft' ? -20 : key === 'ArrowRight' ? 20 : 0;
      const dy = key === 'ArrowUp' ? -20 : key === 'ArrowDown' ? 20 : 0;
      void deed({do: 'place', spots: placed({[at]: [x + dx, y + dy]})});
    } else if (event.altKey) return;
    else if (ARROWS.has(key)) {
      const next = walk(map, at, key as Arrow, from);
      if (next !== at) {
        setFrom(at);
        setCurrent(next);
        setWords('');
        focusDrawing();
        const [x, y] = spotOf(next);
        void flow.setCenter(x + 104, y + 32, {zoom: flow.getZoom(), duration: 0});
      }
    } else if (key === 'Enter' || key === 'F2') edit();
    else if (key === 'Delete' || key === 'Backspace') void deed({do: 'remove_step', id: at});
    else if (key === 'a') add();
    else if (key === 'c') connect();
    else return;
    event.preventDefault();
  };

  /** A screen reader goes to any step without the arrow keys; what has the focus is the chosen one. */
  const reach = (id: string) => {
    if (id === at) return;
    setFrom(null);
    setCurrent(id);
  };

  const spotOf = (id: string): Spot => dragged[id] ?? map.layout?.[id] ?? spots[id] ?? [0, 0];
  /** The first place that somebody chooses fixes all others, so that nothing else jumps. */
  const placed = (moved: Record<string, Spot>): Record<string, Spot> =>
    map.layout ? moved : {...Object.fromEntries(Object.keys(map.nodes).map((id) => [id, spotOf(id)])), ...moved};

  const nodes: Node<StepData>[] = Object.entries(map.nodes).map(([id, step]) => {
    const [x, y] = spotOf(id);
    const mine = findings.filter((row) => row.node === id);
    return {
      id,
      type: 'step',
      position: {x, y},
      width: 208,
      height: 64,
      data: {
        step,
        label: said(map, id, mine),
        codes: [...new Set(mine.map((row) => row.code))],
        current: id === at,
      },
      selected: id === at,
    };
  });
  const edges: Edge[] = useMemo(() => map.edges.map((way) => ({
    id: sentence(way),
    source: way.src,
    target: way.dst,
    label: wordsOf(way) || undefined,
    type: 'smoothstep',
    className: way.on && way.on !== 'ok' ? 'mapway mapway--other' : 'mapway',
    markerEnd: {type: MarkerType.ArrowClosed, width: 18, height: 18},
  })), [map]);

  const moved = (changes: NodeChange<Node<StepData>>[]) => {
    const found: Record<string, Spot> = {};
    for (const change of changes) {
      if (change.type === 'position' && change.position) {
        found[change.id] = [Math.round(change.position.x), Math.round(change.position.y)];
      }
    }
    if (Object.keys(found).length) setDragged((before) => ({...before, ...found}));
  };

  const many = Object.keys(map.nodes).length;
  const outs = at ? waysOut(map, at) : [];
  return (
    <>
      <div className="maptools row row--tight" role="toolbar" aria-label="Edit the map">
        <button className="btn btn--small" type="button" onClick={add}>{icon('plus')}Add step{at && ' after'}</button>
        <button className="btn btn--small" type="button" disabled={!at || map.nodes[at]?.kind === 'end'} onClick={() => connect()}>Connect to …</button>
        <button className="btn btn--small" type="button" disabled={!at} onClick={edit}>Edit</button>
        <button className="btn btn--small" type="button" disabled={!at} onClick={() => void deed({do: 'remove_step', id: at})}>Remove</button>
        <button className="btn btn--small" type="button" disabled={!session.current.canUndo} onClick={() => void turnBack('undo')}>{icon('undo')}Undo</button>
        <button className="btn btn--small" type="button" disabled={!session.current.canRedo} onClick={() => void turnBack('redo')}>{icon('redo')}Redo</button>
        {map.layout && <button className="btn btn--small btn--quiet" type="button" onClick={() => void deed({do: 'tidy'})}>Tidy up</button>}
        <button className="btn btn--small btn--quiet" type="button" onClick={() => setAsk(askForTitle(map, run))}>Change title</button>
        {catalogue.options.length > 0 && <button className="btn btn--small btn--quiet" type="button" onClick={() => setAsk(askForOptions(map, catalogue, run))}>What you buy</button>}
        {many > 0 && <button className="btn btn--small btn--quiet" type="button" onClick={() => void deed({do: 'clear'})}>Empty the map</button>}
        <button className="btn btn--small btn--quiet" type="button" onClick={() => void flow.zoomIn()}>Larger</button>
        <button className="btn btn--small btn--quiet" type="button" onClick={() => void flow.zoomOut()}>Smaller</button>
        <button className="btn btn--small btn--quiet" type="button" onClick={() => void flow.fitView({padding: 0.1, maxZoom: 1})}>Whole map</button>
      </div>
      <p className="ui mapsaid" role="status">{words}</p>
      {trouble && <p className="note note--bad" role="alert">{trouble}</p>}
      <div className="mapdrawing">
        <div ref={box} className="mapdrawing__keys" role={many ? 'listbox' : 'group'} aria-label={`Map “${map.title}”, ${many} steps`}
          aria-describedby="map-keys" tabIndex={many ? undefined : 0} onKeyDown={keys}>
          {many === 0 && 'The map is empty. Add a trigger first: where cases arrive.'}
          {Object.keys(map.nodes).map((id) => (
            <div key={id} role="option" aria-selected={id === at} tabIndex={id === at ? 0 : -1} data-step={id}
              onFocus={() => reach(id)} onClick={() => reach(id)}>
              {said(map, id, findings.filter((row) => row.node === id))}
            </div>
          ))}
        </div>
        <div ref={frame} className="mapdrawing__flow" aria-hidden="true">
          <ReactFlow
            nodes={nodes} edges={edges} nodeTypes={NODE_TYPES}
            onNodesChange={moved}
            onNodeDragStop={(_event, node) => {
              const spot: Spot = [Math.round(node.position.x), Math.round(node.position.y)];
              setDragged({});
              void deed({do: 'place', spots: placed({[node.id]: spot})});
            }}
            onNodeClick={(_event, node) => {
              setFrom(null);
              setCurrent(node.id);
              focusDrawing();
            }}
            onNodeDoubleClick={(_event, node) => setAsk(askAboutStep(map, catalogue, node.id, run))}
            onEdgeClick={(_event, edge) => {
              const way = map.edges.find((one) => sentence(one) === edge.id);
              if (way) setAsk(askForWay(map, catalogue, way.src, run, {way}));
            }}
            onConnect={(made: Connection) => connect(made.target, made.source)}
            deleteKeyCode={null} selectionKeyCode={null} multiSelectionKeyCode={null}
            nodesFocusable={false} edgesFocusable={false} disableKeyboardA11y
            connectOnClick minZoom={0.2} maxZoom={1.5} preventScrolling={false} zoomOnScroll={false}
            proOptions={{hideAttribution: true}}
          >
            <Background />
          </ReactFlow>
        </div>
      </div>
      {at && (
        <section className="panel__body stack stack--2" aria-labelledby="chosen">
          <h3 className="ui" id="chosen">{icon(map.nodes[at]!.kind)} {map.nodes[at]!.name}</h3>
          {outs.length === 0 && <p className="small muted">{map.nodes[at]!.kind === 'end' ? 'The case ends here.' : 'Nothing follows yet.'}</p>}
          <ul className="waysedit">
            {outs.map((way, turn) => (
              <li className="row row--tight row--between" key={sentence(way)}>
                <span>{wordsOf(way) ? `${wordsOf(way)}, to ` : 'to '}{nameOf(map, way.dst)}</span>
                <span className="row row--tight">
                  <button className="btn btn--small btn--quiet" type="button" onClick={() => setAsk(askForWay(map, catalogue, at, run, {way}))}>Change<span className="vh"> the way to {nameOf(map, way.dst)}</span></button>
                  {turn > 0 && map.nodes[at]!.kind === 'gateway' && <button className="btn btn--small btn--quiet" type="button" onClick={() => void deed({do: 'move_way', way: sentence(way), by: -1})}>Ask earlier<span className="vh">: {wordsOf(way)}</span></button>}
                  <button className="btn btn--small btn--quiet" type="button" onClick={() => void deed({do: 'remove_way', way: sentence(way)})}>Remove<span className="vh"> the way to {nameOf(map, way.dst)}</span></button>
                </span>
              </li>
            ))}
          </ul>
          {findings.filter((row) => row.node === at).map((row) => <p className="small warn" key={row.code + row.says}><b>{row.code}</b> {row.says}</p>)}
        </section>
      )}
      <p className="panel__body small muted" id="map-keys">
        Arrow keys follow the ways, Page keys go through all steps. Enter edits a step, a adds one after it, c connects it, Delete removes it, Ctrl+Z takes back, Alt and an arrow moves the box.
      </p>
      {ask && <AskDialog key={ask.title} ask={ask} close={close} />}
    </>
  );
}

export function mount(place: HTMLElement, start: Start): void {
  const {commands = '', layout = ''} = place.dataset;
  const token = document.querySelector<HTMLInputElement>('[name=csrfmiddlewaretoken]')?.value ?? '';
  const send: Send = async (body) => {
    const answer = await fetch(commands, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', 'X-CSRFToken': token, Accept: 'application/json'},
      body,
    });
    const data = await answer.json();
    document.dispatchEvent(new CustomEvent('map-edited', {detail: data}));
    return {ok: answer.ok, status: answer.status, data};
  };
  let arranger: Promise<Arrange> | null = null;
  const arrangeWith = () => {
    arranger ??= import(/* @vite-ignore */ layout).then((module) => module.arrange as Arrange);
    return arranger;
  };
  createRoot(place).render(
    <ReactFlowProvider><Canvas start={start} send={send} arrangeWith={arrangeWith} /></ReactFlowProvider>,
  );
}
