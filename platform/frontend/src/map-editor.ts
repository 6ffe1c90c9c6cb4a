// Starts the drawing of a map on a page that has one. The canvas itself is another file, fetched
// only here; its address comes from the page, which knows the names of collected static files.
//
//   <div data-map-canvas data-canvas="…/map-canvas.js" data-layout="…/map-layout.js"
//        data-commands="/exercises/refunds/commands/" data-start="map-data"></div>

const place = document.querySelector<HTMLElement>('[data-map-canvas]');
if (place) {
  const {canvas, start} = place.dataset;
  const data = JSON.parse(document.getElementById(start ?? '')?.textContent ?? 'null');
  import(/* @vite-ignore */ canvas ?? '')
    .then(({mount}) => mount(place, data))
    .catch(() => {
      place.textContent = 'The drawing could not be loaded. The steps and the text of the map work without it.';
    });
}

// The page around the drawing: what is run, what is said under it, and the reading beside it.
document.addEventListener('map-edited', (event) => {
  const {text, html, foot} = (event as CustomEvent<Record<string, string | undefined>>).detail;
  const kept = document.querySelector<HTMLTextAreaElement>('#work textarea');
  if (kept && text !== undefined) kept.value = text;
  const reading = document.querySelector('[data-rules]');
  if (reading && html !== undefined) reading.innerHTML = html; // rendered and escaped by the server
  const words = document.querySelector('[data-foot]');
  if (words && foot !== undefined) words.textContent = foot;
});

export {};
