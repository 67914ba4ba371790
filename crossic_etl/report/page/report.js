"use strict";
const form = document.getElementById("filter");
if (form) {
  const samples = Array.from(document.querySelectorAll("#shown > .sample"));
  const { title, language, arrangement, count } = form.elements;
  const show = () => {
    const typed = title.value.trim().normalize("NFC").toLowerCase();
    let shown = 0;
    for (const sample of samples) {
      const { dataset } = sample;
      const fits = (!language.value || dataset.language === language.value)
        && (!arrangement.value || dataset.arrangement === arrangement.value)
        && dataset.title.includes(typed);
      sample.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.value = shown === 1 ? "1 sample" : `${shown} samples`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
}
