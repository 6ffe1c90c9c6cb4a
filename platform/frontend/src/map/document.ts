// A map as the browser holds it, and the commands that change it. No page, no library: this can be
// tried in any JavaScript engine, and another canvas can be put on top of it.
//
// The commands are those of `courses/simulators/workflows/edits.py`, which decides in the end. The
// tests give both the same commands and compare the maps.

export type Kind =
  | 'trigger' | 'agent' | 'tool' | 'guard' | 'gateway'
  | 'human' | 'escalation' | 'monitor' | 'rollback' | 'end';

export interface Step {
  kind: Kind;
  name: string;
  block?: string;
  actor?: string;
  retries?: number;
  backoff?: number | string;
  patience?: number | string;
  priority?: number;
  undoes?: string;
  outcome?: string;
  tools?: string[];
  note?: string;
}

export interface Way {
  src: string;
  dst: string;
  on?: 'ok' | 'error' | 'timeout';
  when?: string;
  default?: boolean;
  max?: number;
}

export type Spot = [number, number];
/** What is bought: a number of people, or the name of a version. */
export type Bought = number | string;

export interface MapDocument {
  checkride: 'map/1';
  id: string;
  title: string;
  nodes: Record<string, Step>;
  edges: Way[];
  layout?: Record<string, Spot>;
  options?: Record<string, Bought>;
}

export type Settings = {[key in keyof Step]?: Step[key] | null};

export type Command =
  | {do: 'set_title'; title: string}
  | {do: 'add_step'; step: Settings; id?: string; after?: string; into?: string; linked?: boolean}
  | {do: 'change_step'; id: string; set: Settings}
  | {do: 'rename_step'; id: string; to: string}
  | {do: 'remove_step'; id: string}
  | {do: 'move_step'; id: string; by: number}
  | {do: 'connect'; way: Way}
  | {do: 'change_way'; way: string; to: Way}
  | {do: 'remove_way'; way: string}
  | {do: 'move_way'; way: string; by: number}
  | {do: 'place'; spots: Record<string, Spot>}
  | {do: 'set_options'; set: Record<string, Bought | null>}
  | {do: 'tidy'}
  | {do: 'clear'};

export interface Edited {
  document: MapDocument;
  /** The step that the edit was about, if it is still there. */
  at: string | null;
}

/** An edit that would make something that is no map; the sentence is for people. */
export class EditRefused extends Error {
  field: string | null;

  constructor(sentence: string, field: string | null = null) {
    super(sentence);
    this.field = field;
  }
}

export const KIND_WORDS: Record<Kind, string> = {
  trigger: 'Trigger',
  agent: 'Agent',
  tool: 'Tool',
  guard: 'Guard',
  gateway: 'Gateway',
  human: 'Human',
  escalation: 'Escalation',
  monitor: 'Monitor',
  rollback: 'Rollback',
  end: 'End',
};

// Which settings a kind has beside kind, name and note.
const SETTINGS: Record<Kind, readonly (keyof Step)[]> = {
  trigger: [],
  agent: ['block', 'actor', 'tools'],
  tool: ['block', 'retries', 'backoff'],
  guard: ['block'],
  gateway: [],
  human: ['block', 'actor', 'patience', 'priority'],
  escalation: ['block', 'actor', 'priority'],
  monitor: ['block'],
  rollback: ['block', 'undoes'],
  end: ['outcome'],
};

const ID_CHARACTERS = 32;
const BOOLEANS_ELSEWHERE = new Set(['no', 'yes', 'on', 'off', 'true', 'false', 'null', 'y', 'n']);

/** The sentence of a way, which is its name in commands: `risk -> pay otherwise`. */
export function sentence(way: Way): string {
  const words = [`${way.src} -> ${way.dst}`];
  if (way.on && way.on !== 'ok') words.push(`on ${way.on}`);
  if (way.when !== undefined) words.push(`when ${way.when}`);
  if (way.default) words.push('otherwise');
  if (way.max !== undefined) words.push(`max ${way.max}`);
  return words.join(' ');
}

/** An id for a step of this name that no other step has: `Look up order` is `look_up_order`. */
export function freeId(name: string, taken: Record<string, unknown>, fallback = 'step'): string {
  const lowered = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const words = lowered.split(/[^a-z0-9]+/).filter(Boolean);
  let base = words.join('_').slice(0, ID_CHARACTERS).replace(/_+$/, '');
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(base)) base = fallback;
  if (BOOLEANS_ELSEWHERE.has(base)) base += '_step';
  let found = base;
  for (let number = 2; Object.hasOwn(taken, found); number += 1) {
    const tail = `_${number}`;
    found = base.slice(0, ID_CHARACTERS - tail.length) + tail;
  }
  return found;
}

export function nameOf(document: MapDocument, id: string): string {
  return document.nodes[id]?.name ?? id;
}

export function waysOut(document: MapDocument, id: string): Way[] {
  return document.edges.filter((way) => way.src === id);
}

/** The map after a command; the document itself is left as it was. Throws `EditRefused`. */
export function apply(document: MapDocument, command: Command): Edited {
  const changed: MapDocument = structuredClone(document);
  return {document: changed, at: act(changed, command)};
}

function act(map: MapDocument, command: Command): string | null {
  switch (command.do) {
    case 'set_title':
      map.title = command.title;
      return null;
    case 'add_step':
      return addStep(map, command);
    case 'change_step':
      return changeStep(map, command.id, command.set);
    case 'rename_step':
      return renameStep(map, command.id, command.to);
    case 'remove_step':
      return removeStep(map, command.id);
    case 'move_step': {
      const step = find(map, command.id);
      const ids = Object.keys(map.nodes);
      const at = within(ids.indexOf(command.id) + command.by, ids.length - 1);
      delete map.nodes[command.id];
      insert(map, command.id, step, at);
      return command.id;
    }
    case 'connect': {
      const way = tidied(command.way);
      checkEnds(map, way);
      if (map.edges.some((other) => sentence(other) === sentence(way))) {
        throw new EditRefused('This way is there already.', 'dst');
      }
      const last = map.edges.findIndex((other) => other.src === way.src && other.default);
      if (last >= 0 && !way.default) map.edges.splice(last, 0, way);
      else map.edges.push(way);
      return way.src;
    }
    case 'change_way': {
      const index = findWay(map, command.way);
      const way = tidied(command.to);
      checkEnds(map, way);
      const twin = map.edges.some((other) => sentence(other) === sentence(way));
      if (sentence(way) !== command.way && twin) {
        throw new EditRefused('This way is there already.', 'dst');
      }
      map.edges[index] = way;
      return way.src;
    }
    case 'remove_way': {
      const [way] = map.edges.splice(findWay(map, command.way), 1);
      return way!.src;
    }
    case 'move_way':
      return moveWay(map, command.way, command.by);
    case 'place':
      for (const id of Object.keys(command.spots)) find(map, id);
      map.layout = {...map.layout, ...command.spots};
      return Object.keys(command.spots).length === 1 ? Object.keys(command.spots)[0]! : null;
    case 'tidy':
      delete map.layout;
      return null;
    case 'set_options':
      map.options = {...map.options};
      for (const [id, bought] of Object.entries(command.set)) {
        if (bought === null) delete map.options[id];
        else map.options[id] = bought;
      }
      if (!Object.keys(map.options).length) delete map.options;
      return null;
    case 'clear':
      map.nodes = {};
      map.edges = [];
      delete map.layout;
      delete map.options;
      return null;
  }
}

function find(map: MapDocument, id: string, field: string | null = null): Step {
  if (!Object.hasOwn(map.nodes, id)) {
    throw new EditRefused(
      `There is no step “${id.slice(0, 40)}” any more. Look at the map as it is now.`,
      field,
    );
  }
  return map.nodes[id]!;
}

function insert(map: MapDocument, id: string, step: Step, at: number): void {
  const entries = Object.entries(map.nodes);
  entries.splice(at, 0, [id, step]);
  map.nodes = Object.fromEntries(entries);
}

function within(at: number, most: number): number {
  return Math.min(Math.max(at, 0), most);
}

function set(step: Step, settings: Settings): void {
  for (const [key, value] of Object.entries(settings)) {
    if (value === null || value === undefined) delete step[key as keyof Step];
    else (step as unknown as Record<string, unknown>)[key] = value;
  }
}

function addStep(map: MapDocument, command: Extract<Command, {do: 'add_step'}>): string {
  const {kind, name} = command.step;
  if (typeof name !== 'string' || !name.trim()) throw new EditRefused('Give the step a name.', 'name');
  if (!kind || !(kind in SETTINGS)) throw new EditRefused('Say what the step is.', 'kind');
  const id = command.id ?? freeId(name, map.nodes, kind);
  if (Object.hasOwn(map.nodes, id)) {
    throw new EditRefused(`There is a step “${id}” already. Give this one another id.`, 'id');
  }
  const step: Step = {kind, name};
  set(step, command.step);
  if (command.after !== undefined) {
    find(map, command.after);
    insert(map, id, step, Object.keys(map.nodes).indexOf(command.after) + 1);
  } else {
    map.nodes[id] = step;
  }
  if (command.into !== undefined) {
    const way = map.edges[findWay(map, command.into)]!;
    const ledTo = way.dst;
    way.dst = id;
    if (kind !== 'end') {
      map.edges.push(kind === 'gateway' ? {src: id, dst: ledTo, default: true} : {src: id, dst: ledTo});
    }
  } else if (command.linked && command.after !== undefined) {
    const asks = map.nodes[command.after]!.kind === 'gateway';
    map.edges.push(asks ? {src: command.after, dst: id, default: true} : {src: command.after, dst: id});
  }
  return id;
}

function changeStep(map: MapDocument, id: string, settings: Settings): string {
  const step = find(map, id);
  const kind = settings.kind ?? step.kind;
  if (!(kind in SETTINGS)) throw new EditRefused('Say what the step is.', 'kind');
  if (kind !== step.kind) {
    const allowed = new Set<string>(['kind', 'name', 'note', ...SETTINGS[kind]]);
    for (const key of Object.keys(step)) if (!allowed.has(key)) delete step[key as keyof Step];
  }
  step.kind = kind;
  set(step, settings);
  return id;
}

function renameStep(map: MapDocument, id: string, to: string): string {
  find(map, id);
  if (to === id) return id;
  if (Object.hasOwn(map.nodes, to)) {
    throw new EditRefused(`There is a step “${to}” already. Give this one another id.`, 'id');
  }
  const renamed = (word: string) => (word === id ? to : word);
  map.nodes = Object.fromEntries(Object.entries(map.nodes).map(([key, step]) => [renamed(key), step]));
  for (const step of Object.values(map.nodes)) if (step.undoes) step.undoes = renamed(step.undoes);
  for (const way of map.edges) {
    way.src = renamed(way.src);
    way.dst = renamed(way.dst);
  }
  if (map.layout) {
    map.layout = Object.fromEntries(Object.entries(map.layout).map(([key, spot]) => [renamed(key), spot]));
  }
  return to;
}

function removeStep(map: MapDocument, id: string): null {
  const step = find(map, id);
  for (const [otherId, other] of Object.entries(map.nodes)) {
    if (other.undoes === id && otherId !== id) {
      throw new EditRefused(
        `“${other.name}” takes back what “${step.name}” does. Remove it first, or let it take back another step.`,
      );
    }
  }
  delete map.nodes[id];
  map.edges = map.edges.filter((way) => way.src !== id && way.dst !== id);
  if (map.layout) {
    delete map.layout[id];
    if (!Object.keys(map.layout).length) delete map.layout;
  }
  return null;
}

function tidied(way: Way): Way {
  const found: Way = {src: way.src, dst: way.dst};
  if (way.on && way.on !== 'ok') found.on = way.on;
  if (way.when !== undefined && way.when !== null) found.when = way.when.split(/\s+/).filter(Boolean).join(' ');
  if (way.default) found.default = true;
  if (way.max !== undefined && way.max !== null) found.max = way.max;
  return found;
}

function findWay(map: MapDocument, name: string): number {
  const index = map.edges.findIndex((way) => sentence(way) === name);
  if (index < 0) throw new EditRefused('That way is not there any more. Look at the map as it is now.');
  return index;
}

function checkEnds(map: MapDocument, way: Way): void {
  const source = find(map, way.src, 'src');
  const target = find(map, way.dst, 'dst');
  if (source.kind === 'end') throw new EditRefused(`“${source.name}” is an end: nothing follows it.`);
  if (target.kind === 'trigger') {
    throw new EditRefused(`“${target.name}” starts the map: nothing may lead into it.`, 'dst');
  }
}

function moveWay(map: MapDocument, name: string, by: number): string {
  const index = findWay(map, name);
  const {src} = map.edges[index]!;
  const turns = map.edges.flatMap((way, turn) => (way.src === src ? [turn] : []));
  const order = turns.map((turn) => map.edges[turn]!);
  const before = turns.indexOf(index);
  const [way] = order.splice(before, 1);
  order.splice(within(before + by, turns.length - 1), 0, way!);
  turns.forEach((turn, place) => {
    map.edges[turn] = order[place]!;
  });
  return src;
}
