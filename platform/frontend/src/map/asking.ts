// What the dialogs ask, and the commands that the answers mean.

import {
  KIND_WORDS, nameOf, sentence, waysOut,
  type Command, type Kind, type MapDocument, type Settings, type Way,
} from './document.ts';
import type {Ask, Choice, Field, Values, Wrong} from './dialog.tsx';

/** What the exercise has; the page gives it. */
export interface Catalogue {
  /** `[["", "Choose one"], {group: "Tool", choices: [["tool:order_db", "Order database"]]}]` */
  kinds: readonly Choice[];
  /** `[["confidence < #", "the agent's confidence is below"]]` */
  questions: readonly (readonly [string, string])[];
  tools: readonly (readonly [string, string])[];
  /** `[["", "as usual"], ["1", "1: served first"]]` */
  priorities: readonly Choice[];
  options: readonly Offer[];
}

/** Something that the exercise sells, such as `reviewer.staff`; the empty choice is the usual one. */
export interface Offer {
  id: string;
  label: string;
  hint: string;
  choices: readonly Choice[];
}

type Do = (command: Command) => Promise<readonly Wrong[]>;
const ROWS = ['1', '2', '3'] as const;

export function settingsOf(what: string): Settings {
  const [kind, rest] = what.split(':') as [Kind, string | undefined];
  if (kind === 'end') return {kind, outcome: rest};
  return rest === undefined ? {kind} : {kind, block: rest};
}

function steps(map: MapDocument, fits: (kind: Kind) => boolean = () => true): Choice[] {
  return Object.entries(map.nodes)
    .filter(([, step]) => fits(step.kind))
    .map(([id, step]) => [id, `${step.name} (${KIND_WORDS[step.kind].toLowerCase()})`] as const);
}

function how(way: Way): string {
  if (way.on === 'error') return ' (on error)';
  if (way.on === 'timeout') return ' (no answer)';
  if (way.when !== undefined) return ` (${way.when})`;
  return way.default ? ' (otherwise)' : '';
}

/** A step behind `after`, or the first one. */
export function askForStep(map: MapDocument, catalogue: Catalogue, after: string | null, act: Do): Ask {
  const places: Choice[] = [];
  if (after !== null && map.nodes[after]!.kind !== 'end') {
    const ways = waysOut(map, after);
    const name = nameOf(map, after);
    if (!ways.some((way) => (way.on ?? 'ok') === 'ok' && way.when === undefined)) {
      places.push(['linked', `“${name}” leads to it`]);
    }
    for (const way of ways) {
      places.push([`into:${sentence(way)}`, `between “${name}” and “${nameOf(map, way.dst)}”${how(way)}`]);
    }
  }
  places.push(['alone', 'nothing leads to it yet']);
  return {
    title: after === null ? 'Add a step' : `Add a step after “${nameOf(map, after)}”`,
    deed: 'Add step',
    fields: [
      {name: 'name', label: 'Name', hint: 'What happens here, as a colleague would say it.'},
      {name: 'what', label: 'What it is', options: catalogue.kinds},
      {
        name: 'undoes',
        label: 'Takes back',
        hint: 'The step whose action it takes back.',
        options: [['', 'Choose a step'], ...steps(map, (kind) => kind === 'tool')],
        when: (values) => (values.what ?? '').startsWith('rollback'),
      },
      {name: 'where', label: 'Where it stands', options: places, value: places[0]![0 as never], when: () => places.length > 1},
    ],
    done: async (values) => {
      const wrong: Wrong[] = [];
      if (!values.name?.trim()) wrong.push({field: 'name', message: 'Give the step a name.'});
      if (!values.what) wrong.push({field: 'what', message: 'Say what the step is.'});
      if ('undoes' in values && !values.undoes) {
        wrong.push({field: 'undoes', message: 'Say which step this rollback takes back.'});
      }
      if (wrong.length) return wrong;
      const step: Settings = {name: values.name!.trim(), ...settingsOf(values.what!)};
      if (values.undoes) step.undoes = values.undoes;
      const where = values.where ?? 'alone';
      const command: Command = {do: 'add_step', step};
      if (after !== null) command.after = after;
      if (where.startsWith('into:')) command.into = where.slice('into:'.length);
      if (where === 'linked') command.linked = true;
      return renamed(await act(command), {kind: 'what', block: 'what', outcome: 'what'});
    },
  };
}

/** The settings of a step. */
export function askAboutStep(map: MapDocument, catalogue: Catalogue, id: string, act: Do): Ask {
  const step = map.nodes[id]!;
  const {kind} = step;
  const fields: Field[] = [{name: 'name', label: 'Name', value: step.name}];
  const groups = catalogue.kinds.flatMap((choice) => ('group' in choice ? [choice] : []));
  const same = groups.flatMap((group) => group.choices).filter(
    (choice) => !('group' in choice) && choice[0].split(':')[0] === kind,
  );
  if (same.length > 0 && kind !== 'trigger' && kind !== 'gateway') {
    const value = `${kind}:${kind === 'end' ? step.outcome : step.block}`;
    fields.push({name: 'what', label: 'What it is', options: same, value});
  }
  const text = (name: 'retries' | 'backoff' | 'patience' | 'actor' | 'note', label: string, hint: string) =>
    fields.push({name, label, hint, optional: true, value: String(step[name] ?? ''), rows: name === 'note' ? 2 : undefined});
  if (kind === 'rollback') {
    fields.push({
      name: 'undoes',
      label: 'Takes back',
      value: step.undoes,
      options: steps(map, (other) => other === 'tool'),
    });
  }
  if (kind === 'tool') {
    text('retries', 'Tries again after a failure', 'How many times. Empty: never.');
    text('backoff', 'Waits before it tries again', 'Such as 30s, 2m or 1h; a number alone is seconds.');
  }
  if (kind === 'human') {
    text('patience', 'Waits for an answer at most', 'Such as 30m or 2h; a number alone is seconds. Empty: for ever.');
  }
  if (kind === 'human' || kind === 'escalation') {
    fields.push({
      name: 'priority',
      label: 'Priority',
      hint: 'Among all who wait for the same people.',
      options: catalogue.priorities,
      value: String(step.priority ?? ''),
    });
  }
  if (kind === 'agent' || kind === 'human' || kind === 'escalation') {
    text('actor', 'Done by', 'One word for a role, such as reviewer. Shows who checks whom.');
  }
  text('note', 'Note', 'For yourself; it is not graded.');
  return {
    title: `Edit “${step.name}”`,
    deed: 'Save',
    fields,
    done: async (values) => {
      const wrong: Wrong[] = [];
      if (!values.name?.trim()) wrong.push({field: 'name', message: 'Give the step a name.'});
      if (values.retries && !/^[0-5]$/.test(values.retries.trim())) {
        wrong.push({field: 'retries', message: 'Write a whole number from 0 to 5, or nothing.'});
      }
      if (wrong.length) return wrong;
      const changes: Settings = {name: values.name!.trim()};
      if (values.what) Object.assign(changes, settingsOf(values.what));
      if (values.undoes) changes.undoes = values.undoes;
      for (const name of ['backoff', 'patience', 'actor', 'note'] as const) {
        if (name in values) changes[name] = values[name]!.trim() || null;
      }
      if ('priority' in values) changes.priority = values.priority ? Number(values.priority) : null;
      if ('retries' in values) {
        changes.retries = values.retries!.trim() ? Number(values.retries) : null;
        if (!changes.retries && !values.backoff?.trim()) changes.backoff = null;
      }
      return renamed(await act({do: 'change_step', id, set: changes}), {block: 'what', outcome: 'what'});
    },
    other: {words: 'Remove step', done: () => act({do: 'remove_step', id})},
  };
}


/** A new way out of a step, or another form of the one that is there. */
export function askForWay(
  map: MapDocument, catalogue: Catalogue, src: string, act: Do, given: {way?: Way; dst?: string} = {},
): Ask {
  const {way} = given;
  const kind = map.nodes[src]!.kind;
  const asks = kind === 'gateway';
  const ways = waysOut(map, src);
  const hows: Choice[] = asks
    ? [['question', 'when the questions below say so'], ['otherwise', 'otherwise: when no other way was taken']]
    : [['ok', 'when the step is done']];
  if (['tool', 'agent', 'guard', 'rollback'].includes(kind)) hows.push(['error', 'when the step fails']);
  if (kind === 'human') hows.push(['timeout', 'when nobody answers in time']);
  const used = new Set(ways.map((other) => other.on ?? 'ok'));
  const free = hows.find((choice) => !used.has((choice as readonly [string, string])[0] as 'ok'));
  const first = asks
    ? (ways.length && !ways.some((other) => other.default) ? 'otherwise' : 'question')
    : String((free ?? hows[0] as readonly [string, string])[0 as never]);
  const started = way ? (asks ? (way.default ? 'otherwise' : 'question') : (way.on ?? 'ok')) : first;
  const question = (values: Values) => values.how === 'question';
  const rows = way?.when === undefined ? null : questionsOf(way.when, catalogue);
  const fields: Field[] = [
    {
      name: 'dst',
      label: 'Leads to',
      value: way?.dst ?? given.dst,
      options: [['', 'Choose a step'], ...steps(map, (other) => other !== 'trigger')],
    },
    {name: 'how', label: 'When a case goes there', options: hows, value: started},
  ];
  if (asks) {
    for (const row of ROWS) {
      const before = String(Number(row) - 1);
      const open = (values: Values) => question(values) && (row === '1' || Boolean(values[`q${before}`]));
      fields.push({
        name: `q${row}`,
        label: `Question ${row}`,
        optional: row !== '1',
        options: [['', 'no question'], ...catalogue.questions],
        value: rows?.[`q${row}`],
        when: open,
      });
      fields.push({
        name: `n${row}`,
        label: `Number for question ${row}`,
        value: rows?.[`n${row}`],
        when: (values) => open(values) && (values[`q${row}`] ?? '').includes('#'),
      });
    }
    fields.push({
      name: 'join',
      label: 'Of these questions',
      options: [['or', 'one must be true'], ['and', 'all must be true']],
      value: rows?.join ?? 'or',
      when: (values) => question(values) && Boolean(values.q2),
    });
    fields.push({
      name: 'own',
      label: 'Or write the condition yourself',
      hint: 'Such as: flagged or confidence < 0.80 or amount > 400.',
      optional: true,
      value: rows ? '' : way?.when,
      when: question,
    });
    fields.push({
      name: 'most',
      label: 'The same case at most',
      hint: 'Times. Needed where a way leads back, so that no case goes round for ever.',
      optional: true,
      value: way?.max === undefined ? '' : String(way.max),
      when: question,
    });
  }
  return {
    title: way ? `Change a way out of “${nameOf(map, src)}”` : `Connect “${nameOf(map, src)}” to …`,
    deed: way ? 'Save' : 'Connect',
    fields,
    done: async (values) => {
      const {wrong, when} = condition(values);
      if (!values.dst) wrong.unshift({field: 'dst', message: 'Say which step it leads to.'});
      if (values.most && !/^[1-5]$/.test(values.most.trim())) {
        wrong.push({field: 'most', message: 'Write a whole number from 1 to 5, or nothing.'});
      }
      if (wrong.length) return wrong;
      const made: Way = {src, dst: values.dst!};
      if (!asks) made.on = values.how as Way['on'];
      else if (values.how === 'otherwise') made.default = true;
      else {
        made.when = when;
        if (values.most?.trim()) made.max = Number(values.most);
      }
      const command: Command = way
        ? {do: 'change_way', way: sentence(way), to: made}
        : {do: 'connect', way: made};
      return renamed(await act(command), {when: 'own', on: 'how', default: 'how', max: 'most'});
    },
    other: way && {words: 'Remove way', done: () => act({do: 'remove_way', way: sentence(way)})},
  };
}

function condition(values: Values): {wrong: Wrong[]; when: string} {
  const wrong: Wrong[] = [];
  if (values.how !== 'question') return {wrong, when: ''};
  const parts: string[] = [];
  for (const row of ROWS) {
    const form = values[`q${row}`];
    if (!form) continue;
    const number = (values[`n${row}`] ?? '').trim().replaceAll(',', '');
    if (form.includes('#') && !/^\d{1,9}(\.\d{1,6})?$/.test(number)) {
      wrong.push({field: `n${row}`, message: 'Write a number, such as 0.80 or 400.'});
      continue;
    }
    parts.push(form.replace('#', number));
  }
  const own = (values.own ?? '').trim();
  if (own && parts.length) {
    wrong.push({field: 'own', message: 'Choose questions or write the condition, not both.'});
  } else if (!own && !parts.length && !wrong.length) {
    wrong.push({field: 'q1', message: 'Choose a question, or let this be the “otherwise” way.'});
  }
  return {wrong, when: own || parts.join(` ${values.join ?? 'or'} `)};
}

/** A condition as rows of questions; null when it does not fit in them. */
export function questionsOf(when: string, catalogue: Catalogue): Values | null {
  const both = / and /.test(when) && / or /.test(when);
  if (both || /[()]/.test(when)) return null;
  const join = / and /.test(when) ? 'and' : 'or';
  const parts = when.split(` ${join} `);
  if (parts.length > ROWS.length) return null;
  const found: Values = {join};
  for (const [index, part] of parts.entries()) {
    const number = /\d+(\.\d+)?$/.exec(part)?.[0] ?? '';
    const form = number ? `${part.slice(0, part.length - number.length)}#` : part;
    if (!catalogue.questions.some(([known]) => known === form)) return null;
    found[`q${index + 1}`] = form;
    found[`n${index + 1}`] = number;
  }
  return found;
}

export function askForTitle(map: MapDocument, act: Do): Ask {
  return {
    title: 'Title of the map',
    deed: 'Save',
    fields: [{name: 'title', label: 'Title', value: map.title}],
    done: (values) => act({do: 'set_title', title: values.title ?? ''}),
  };
}

/** What is bought of what the exercise sells. */
export function askForOptions(map: MapDocument, catalogue: Catalogue, act: Do): Ask {
  return {
    title: 'What you buy',
    deed: 'Save',
    fields: catalogue.options.map(({id, label, hint, choices}) => ({
      name: id,
      label,
      hint,
      options: choices,
      value: String(map.options?.[id] ?? ''),
    })),
    done: (values) => {
      const set = Object.fromEntries(catalogue.options.map(({id}) => {
        const value = values[id] ?? '';
        return [id, value === '' ? null : /^\d+$/.test(value) ? Number(value) : value];
      }));
      return act({do: 'set_options', set});
    },
  };
}

function renamed(wrong: readonly Wrong[], names: Record<string, string>): readonly Wrong[] {
  return wrong.map((row) => ({...row, field: row.field === null ? null : (names[row.field] ?? row.field)}));
}
