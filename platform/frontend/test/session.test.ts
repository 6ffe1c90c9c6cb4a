import assert from 'node:assert/strict';
import {test} from 'node:test';

import {apply, type Command, type MapDocument} from '../src/map/document.ts';
import {Refused, Session, type Send} from '../src/map/session.ts';

const started = (): MapDocument => ({
  checkride: 'map/1',
  id: 'm',
  title: 'Map',
  nodes: {start: {kind: 'trigger', name: 'Start'}},
  edges: [],
});

/** A server in a few lines: it applies commands, counts revisions and can be told to refuse. */
function server() {
  const states = [started()];
  let at = 0;
  const self = {
    revision: 1,
    refuse: '',
    down: false,
    sent: [] as unknown[],
    send: (async (body) => {
      if (self.down) throw new TypeError('no network');
      const message = JSON.parse(body) as {over: number; commands?: Command[]; history?: string};
      self.sent.push(message);
      const about = (extra: object) => ({
        document: states[at], revision: self.revision, findings: [], undo: at ? 'x' : '', redo: '', ...extra,
      });
      if (message.over !== self.revision) return {ok: false, status: 409, data: about({message: 'moved'})};
      if (self.refuse) return {ok: false, status: 400, data: about({message: self.refuse, problems: []})};
      if (message.history === 'undo') at -= 1;
      for (const command of message.commands ?? []) {
        states.length = at + 1;
        states.push(apply(states[at]!, command).document);
        at += 1;
      }
      self.revision += 1;
      return {ok: true, status: 200, data: about({says: 'Done'})};
    }) as Send,
    elsewhere: () => {
      states.push({...states[at]!, title: 'From elsewhere'});
      at += 1;
      self.revision += 1;
    },
    answer: () => ({document: states[at]!, revision: self.revision, findings: [], undo: '', redo: ''}),
  };
  return self;
}

const begin = (from: ReturnType<typeof server>) => new Session(from.answer(), from.send, () => {});

test('commands in a row go out one by one, each over the revision before it', async () => {
  const there = server();
  const session = begin(there);
  await Promise.all(['A', 'B', 'C'].map((title) => session.run({do: 'set_title', title})));
  assert.deepEqual(there.sent.map((message) => (message as {over: number}).over), [1, 2, 3]);
  assert.equal(session.document.title, 'C');
  assert.equal(session.revision, 4);
});

test('what the server refuses is taken back, and its sentence is passed on', async () => {
  const there = server();
  const session = begin(there);
  await session.run({do: 'set_title', title: 'Kept'});
  there.refuse = 'Not like this.';
  await assert.rejects(session.run({do: 'set_title', title: 'No'}), (problem) =>
    problem instanceof Refused && problem.message === 'Not like this.');
  assert.equal(session.document.title, 'Kept');
  assert.ok(session.canUndo);
});

test('without a connection the edit is taken back and said so', async () => {
  const there = server();
  const session = begin(there);
  there.down = true;
  await assert.rejects(session.run({do: 'set_title', title: 'No'}), /no connection/);
  assert.equal(session.document.title, 'Map');
});

test('an edit over an older map shows the newer one', async () => {
  const there = server();
  const session = begin(there);
  there.elsewhere();
  await assert.rejects(session.run({do: 'set_title', title: 'Mine'}), /moved/);
  assert.equal(session.document.title, 'From elsewhere');
  await session.run({do: 'set_title', title: 'Mine'});
  assert.equal(session.document.title, 'Mine');
});

test('undo goes back on the page and on the server', async () => {
  const there = server();
  const session = begin(there);
  await session.run({do: 'set_title', title: 'A'});
  await session.undo();
  assert.equal(session.document.title, 'Map');
  assert.deepEqual((there.sent.at(-1) as {history: string}).history, 'undo');
});
