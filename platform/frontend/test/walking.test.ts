import assert from 'node:assert/strict';
import {test} from 'node:test';

import type {MapDocument} from '../src/map/document.ts';
import {questionsOf} from '../src/map/asking.ts';
import {walk, type Arrow} from '../src/map/walking.ts';

const map: MapDocument = {
  checkride: 'map/1',
  id: 'm',
  title: 'Map',
  nodes: {
    start: {kind: 'trigger', name: 'Start'},
    ask: {kind: 'gateway', name: 'Ask'},
    left: {kind: 'end', name: 'Left'},
    right: {kind: 'end', name: 'Right'},
    alone: {kind: 'end', name: 'Alone'},
  },
  edges: [
    {src: 'start', dst: 'ask'},
    {src: 'ask', dst: 'left', when: 'flagged'},
    {src: 'ask', dst: 'right', default: true},
  ],
};

test('arrows follow the ways, and left and right go through the ways out', () => {
  assert.equal(walk(map, 'start', 'ArrowDown', null), 'ask');
  assert.equal(walk(map, 'ask', 'ArrowDown', 'start'), 'left');
  assert.equal(walk(map, 'left', 'ArrowRight', 'ask'), 'right');
  assert.equal(walk(map, 'right', 'ArrowRight', 'ask'), 'left');
  assert.equal(walk(map, 'right', 'ArrowUp', 'ask'), 'ask');
});

test('every step can be reached by the keys', () => {
  const reached = new Set(['start']);
  const keys: Arrow[] = ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight', 'Home', 'End'];
  assert.equal(walk(map, 'right', 'PageDown', null), 'alone');
  for (const id of reached) for (const key of keys) reached.add(walk(map, id, key, null));
  assert.deepEqual([...reached].sort(), Object.keys(map.nodes).sort());
});

const catalogue = {
  kinds: [],
  tools: [],
  questions: [['flagged', 'is flagged'], ['confidence < #', 'is below'], ['amount > #', 'is above']] as const,
};

test('a plain condition opens as questions, any other as it was written', () => {
  assert.deepEqual(questionsOf('flagged or confidence < 0.80', catalogue), {
    join: 'or', q1: 'flagged', n1: '', q2: 'confidence < #', n2: '0.80',
  });
  assert.equal(questionsOf('flagged or amount > 4 and confidence < 1', catalogue), null);
  assert.equal(questionsOf('not (flagged)', catalogue), null);
  assert.equal(questionsOf('amount >= 4', catalogue), null);
});
