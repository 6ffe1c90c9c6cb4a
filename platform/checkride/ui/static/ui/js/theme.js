// Keeps the reader's choice of light, dark or system. Loaded in the head and not deferred,
// so that a page never flashes in the wrong theme. Everything else works without it.
(() => {
  const root = document.documentElement;
  const order = ["system", "light", "dark"];
  const read = () => { try { return localStorage.getItem("theme") ?? "system"; } catch { return "system"; } };
  const apply = (choice) => {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else root.removeAttribute("data-theme");
  };
  const show = (choice) => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.querySelector("[data-theme-word]").textContent = choice;
    }
  };
  let choice = read();
  apply(choice);
  document.addEventListener("DOMContentLoaded", () => show(choice));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    choice = order[(order.indexOf(choice) + 1) % order.length];
    try { localStorage.setItem("theme", choice); } catch { /* private window: the choice lasts for this page */ }
    apply(choice);
    show(choice);
  });
})();
