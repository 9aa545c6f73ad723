// Offers codes while one types: fills the field's datalist from the address in data-lookup.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("input[data-lookup]")) {
    const list = document.getElementById(field.getAttribute("list"));
    let waiting = 0;
    field.addEventListener("input", () => {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(async () => {
        const asked = field.value;
        const reply = await fetch(field.dataset.lookup + "?q=" + encodeURIComponent(asked), {
          headers: {Accept: "application/json"},
        });
        if (!reply.ok || field.value !== asked) {
          return;
        }
        const {offers} = await reply.json();
        list.replaceChildren(...offers.map(([value, label]) => {
          const option = document.createElement("option");
          option.value = value;
          option.textContent = label;
          return option;
        }));
      }, 200);
    });
  }
});
