// Arranges a map from top to bottom. Loaded only when a map has steps without a place of their own.

import dagre from '@dagrejs/dagre';

import type {MapDocument, Spot} from './document.ts';

export const WIDTH = 208;
export const HEIGHT = 64;

/** The upper left corner of each step. */
export function arrange(map: MapDocument): Record<string, Spot> {
  const graph = new dagre.graphlib.Graph({multigraph: true});
  graph.setGraph({rankdir: 'TB', nodesep: 48, ranksep: 64, marginx: 16, marginy: 16});
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of Object.keys(map.nodes)) graph.setNode(id, {width: WIDTH, height: HEIGHT});
  map.edges.forEach((way, number) => {
    const words = way.when ?? way.on ?? '';
    const size = {width: Math.min(words.length * 7, 200), height: 20, labelpos: 'c'};
    graph.setEdge(way.src, way.dst, size, String(number));
  });
  dagre.layout(graph);
  return Object.fromEntries(
    Object.keys(map.nodes).map((id) => {
      const {x, y} = graph.node(id);
      return [id, [Math.round(x - WIDTH / 2), Math.round(y - HEIGHT / 2)] as Spot];
    }),
  );
}
