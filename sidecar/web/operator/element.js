/** Makes an element; texts are set as text, never as HTML. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Shows a text in a notice; an empty one hides it. */
export function notify(notice, text) {
  notice.textContent = text;
  notice.hidden = !text;
}

/** "1 room", "2 rooms". */
export const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
