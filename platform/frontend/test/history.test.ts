import assert from 'node:assert/strict';
import {test} from 'node:test';

import type {MapDocument} from '../src/map/document.ts';
import {History} from '../src/map/history.ts';

const empty: MapDocument = {checkride: 'map/1', id: 'm', title: 'Map', nodes: {}, edges: []};

test('one command is one entry, a step with its ways included', () => {
  const history = new History(empty);
  history.run({do: 'add_step', step: {kind: 'trigger', name: 'Start'}});
  history.run({do: 'add_step', step: {kind: 'end', name: 'Done', outcome: 'served'}, after: 'start', linked: true});
  assert.equal(history.document.edges.length, 1);
  history.run({do: 'remove_step', id: 'done'});
  assert.equal(history.document.edges.length, 0);
  history.undo();
  assert.deepEqual(history.document.edges, [{src: 'start', dst: 'done'}]);
  assert.deepEqual(Object.keys(history.document.nodes), ['start', 'done']);
});

test('undo and redo lead through the same maps and back', () => {
  const history = new History(empty);
  const seen = [history.document];
  for (const name of ['One', 'Two', 'Three']) {
    history.run({do: 'add_step', step: {kind: 'gateway', name}});
    seen.push(history.document);
  }
  for (const before of seen.slice(0, -1).reverse()) {
    assert.ok(history.undo());
    assert.deepEqual(history.document, before);
  }
  assert.equal(history.undo(), false);
  for (const after of seen.slice(1)) {
    assert.ok(history.redo());
    assert.deepEqual(history.document, after);
  }
  assert.equal(history.redo(), false);
});

test('a new command forgets what was undone', () => {
  const history = new History(empty);
  history.run({do: 'set_title', title: 'A'});
  history.undo();
  history.run({do: 'set_title', title: 'B'});
  assert.equal(history.canRedo, false);
});

test('a refused command is no entry', () => {
  const history = new History(empty);
  assert.throws(() => history.run({do: 'remove_step', id: 'nobody'}), /no step “nobody”/);
  assert.equal(history.canUndo, false);
});
