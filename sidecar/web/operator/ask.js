/** Asks before something that can't be undone. */
import { byId } from "./element.js";

/** Whether the operator says yes; `action` is the text of that button. */
export function ask(title, text, action) {
  const dialog = byId("ask");
  byId("ask-title").textContent = title;
  byId("ask-text").textContent = text;
  byId("ask-yes").textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
