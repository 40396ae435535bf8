const form = document.querySelector("form");
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => {
  const text = form.querySelector("[type=search]").value.toLowerCase();
  const states = new Set([...form.querySelectorAll("[type=checkbox]:checked")].map((box) => box.value));
  for (const section of document.querySelectorAll("section")) {
    let shown = 0;
    for (const card of section.querySelectorAll("article")) {
      card.hidden = !(states.has(card.className) && card.dataset.name.toLowerCase().includes(text));
      shown += card.hidden ? 0 : 1;
    }
    section.hidden = shown === 0;
  }
});
