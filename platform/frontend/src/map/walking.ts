// Where an arrow key leads: along the ways of the map, and from one way out to the next.

import {waysOut, type MapDocument} from './document.ts';

export type Arrow = 'ArrowDown' | 'ArrowUp' | 'ArrowLeft' | 'ArrowRight' | 'Home' | 'End' | 'PageDown' | 'PageUp';

/** The step that a key leads to from `id`, which was reached from `from`; itself where it leads nowhere. */
export function walk(map: MapDocument, id: string, key: Arrow, from: string | null): string {
  const ids = Object.keys(map.nodes);
  const into = map.edges.filter((way) => way.dst === id).map((way) => way.src);
  switch (key) {
    case 'Home':
      return ids[0] ?? id;
    case 'End':
      return ids.at(-1) ?? id;
    // The list from top to bottom, whatever leads where: no step is out of reach.
    case 'PageDown':
      return ids[ids.indexOf(id) + 1] ?? id;
    case 'PageUp':
      return ids[ids.indexOf(id) - 1] ?? id;
    case 'ArrowDown': {
      const onward = waysOut(map, id)[0]?.dst;
      // Where nothing follows the list goes on, so that every step can be reached.
      return onward ?? ids[ids.indexOf(id) + 1] ?? id;
    }
    case 'ArrowUp':
      return from !== null && into.includes(from) ? from : (into[0] ?? ids[ids.indexOf(id) - 1] ?? id);
    case 'ArrowLeft':
    case 'ArrowRight': {
      const source = from !== null && into.includes(from) ? from : into[0];
      const siblings = source === undefined ? ids : [...new Set(waysOut(map, source).map((way) => way.dst))];
      const row = siblings.length > 1 ? siblings : ids;
      const step = key === 'ArrowRight' ? 1 : -1;
      return row[(row.indexOf(id) + step + row.length) % row.length] ?? id;
    }
  }
}
