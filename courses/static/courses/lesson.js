// Remembers where a lesson was left and for how long it was read. The page needs none of this.

const article = document.querySelector('[data-reading]');
const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
const places = [...article.querySelectorAll('h2[id], h3[id], [id^="check-"]')].filter(
  (place) => !['h', 'your-notes', 'ln'].includes(place.id),
);

const TELL_AFTER_S = 30;
const IDLE_AFTER_MS = 60_000;
let lastDeed = performance.now();
let seconds = 0;
let told = '';

// The place whose top was passed last: the reader is in what comes after it.
function place() {
  const line = innerHeight * 0.4;
  return places.filter((one) => one.getBoundingClientRect().top < line).at(-1)?.id ?? '';
}

function tell() {
  const here = place();
  if (!seconds && here === told) return;
  const body = new URLSearchParams({place: here, seconds});
  seconds = 0;
  told = here;
  // A lost message costs half a minute of a figure, so nothing is tried again.
  fetch(article.dataset.reading, {
    method: 'POST',
    headers: {'X-CSRFToken': token},
    body,
    keepalive: true,
  }).catch(() => {});
}

for (const deed of ['scroll', 'pointermove', 'keydown', 'touchstart']) {
  addEventListener(deed, () => (lastDeed = performance.now()), {passive: true});
}
setInterval(() => {
  if (document.visibilityState !== 'visible' || performance.now() - lastDeed > IDLE_AFTER_MS) return;
  seconds += 1;
  if (seconds >= TELL_AFTER_S) tell();
}, 1000);
document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && tell());
addEventListener('pagehide', tell);
