// The rehearsal's three steps. The exam's own script saves, waits and speaks; this one watches it.

const board = document.querySelector("[data-rehearsal]");
const { csrf } = document.querySelector("[data-exam]").dataset;
const cutButton = board.querySelector("[data-cut]");
const tellButton = board.querySelector("[data-tell-time]");

let cut = false;
let waited = false;

function mark(step) {
  const place = board.querySelector(`[data-step="${step}"]`);
  if (place.classList.contains("ok")) return false;
  place.classList.replace("muted", "ok");
  place.querySelector("use")?.setAttribute("href", "#i-check");
  place.querySelector("span").textContent = "works";
  return true;
}

async function prove(step) {
  if (!mark(step)) return;
  const body = new URLSearchParams({ csrfmiddlewaretoken: csrf, step });
  await fetch(board.dataset.proveUrl, { method: "POST", body, credentials: "same-origin" }).catch(() => {});
}

document.addEventListener("exam-saved", () => {
  mark("saved");
  if (waited && !cut) prove("reconnected");
});
document.addEventListener("exam-offline", () => { if (cut) waited = true; });

cutButton.hidden = false;
cutButton.addEventListener("click", () => {
  cut = !cut;
  cutButton.setAttribute("aria-pressed", String(cut));
  cutButton.textContent = cut ? "Bring it back" : "Cut the connection";
  document.dispatchEvent(new CustomEvent("exam-cut", { detail: cut }));
});

tellButton.hidden = false;
tellButton.addEventListener("click", () => document.dispatchEvent(new CustomEvent("exam-tell-time")));
board.querySelector("[data-heard]").addEventListener("change", (event) => { if (event.target.checked) prove("read-out"); });
