"use strict";
// Without this, every picture is on the page, and opens by itself.
for (const strip of document.querySelectorAll(".strip")) {
  const list = strip.querySelector("ul");
  const links = [...list.querySelectorAll("a")];
  const make = (name, facts = {}) => Object.assign(document.createElement(name), facts);

  const box = make("div", { className: "box" });
  const large = make("img");
  const row = make("div", { className: "row" });
  const slider = make("input", { type: "range", min: 1, max: links.length, value: Math.ceil(links.length / 2) });
  const told = make("output");
  const tune = { brightness: 100, contrast: 100 };
  const draw = () => { large.style.filter = `brightness(${tune.brightness}%) contrast(${tune.contrast}%)`; };
  const show = () => {
    const link = links[slider.value - 1];
    large.src = link.href;
    large.alt = link.querySelector("img").alt;
    told.value = `${slider.value} of ${links.length}: ${link.textContent.trim()}`;
  };
  const labelled = (text, input, className = "") => {
    const label = make("label", { className, textContent: text });
    label.append(input);
    return label;
  };

  if (links.length > 1) {
    slider.addEventListener("input", show);
    row.append(labelled("Through the images", slider, "through"));
    large.addEventListener("wheel", (event) => {
      if (event.ctrlKey) return;
      event.preventDefault();
      slider.value = Number(slider.value) + Math.sign(event.deltaY);
      show();
    }, { passive: false });
  }
  row.append(told);
  const tuners = Object.keys(tune).map((name) => {
    const input = make("input", { type: "range", min: 20, max: 300, value: 100 });
    input.addEventListener("input", () => { tune[name] = input.value; draw(); });
    row.append(labelled(name[0].toUpperCase() + name.slice(1), input));
    return [name, input];
  });
  const back = make("button", { type: "button", textContent: "As it was" });
  back.addEventListener("click", () => {
    for (const [name, input] of tuners) tune[name] = input.value = 100;
    draw();
  });
  row.append(back);
  box.append(large, row);

  const all = make("details");
  all.append(make("summary", { textContent: "All pictures, small" }));
  list.before(box, all);
  all.append(list);
  links.forEach((link, place) => link.addEventListener("click", (event) => {
    event.preventDefault();
    slider.value = place + 1;
    show();
    box.scrollIntoView({ block: "nearest" });
  }));
  show();
}
