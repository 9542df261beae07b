"use strict";

// The proof of a case is packed beside it, and unpacked when the case is opened.
const unpack = async (text) => {
  const octets = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
};

const fill = async (event) => {
  const held = event.target.querySelector?.(":scope>script");
  if (!held || !event.target.open) return;
  const place = event.target.querySelector(".proof");
  try {
    place.innerHTML = await unpack(held.textContent);
    held.remove();
  } catch (error) {
    place.textContent = `The proof cannot be unpacked (${error}); it is in report.json.`;
  }
};

const form = document.querySelector("form.pick");
const cases = [...document.querySelectorAll("details.case")];

const show = () => {
  const wanted = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
  const words = form.word.value.toLowerCase();
  let count = 0;
  for (const one of cases) {
    const fits = wanted.has(one.dataset.outcome) && (!words || one.dataset.text.includes(words));
    one.hidden = !fits;
    count += fits;
  }
  for (const part of document.querySelectorAll("section.family")) {
    part.hidden = !part.querySelector("details.case:not([hidden])");
  }
  document.querySelector("#count").textContent = `${count} of ${cases.length}`;
};

const follow = () => {
  const one = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!one) return;
  one.hidden = false;
  one.open = true;
  one.scrollIntoView();
};

document.addEventListener("toggle", fill, true);
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", follow);
show();
if (location.hash) follow();
