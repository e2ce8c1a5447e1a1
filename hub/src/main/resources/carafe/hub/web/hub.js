// Shows the copy buttons and copies what they say; pages work without it.
"use strict";
function said(text) {
  const place = document.getElementById("said");
  place.textContent = "";
  window.requestAnimationFrame(() => { place.textContent = text; });
}
function selectAndCopy(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.setAttribute("readonly", "");
  field.className = "quiet";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
async function copy(button) {
  const text = button.dataset.copy;
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch (refused) { // not over https, or not allowed
    done = selectAndCopy(text);
    button.focus();
  }
  const before = button.textContent;
  button.textContent = done ? "Copied" : "Press Ctrl+C";
  said(done ? "Copied to the clipboard" : "Copying is not allowed here");
  window.setTimeout(() => { button.textContent = before; }, 2000);
}
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
