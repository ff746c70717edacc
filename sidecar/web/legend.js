// The cards that show each pose and the sticker it plays.

/** Fill `list` with a card for every entry that plays a sticker; the rest is events only. */
export function showLegend(list, legend) {
  const cards = new Map();
  for (const entry of legend) {
    if (entry.kind !== "sticker") continue;
    const card = document.createElement("li");
    card.className = "pose";
    const picture = document.createElement("div");
    picture.className = "pose-picture";
    if (entry.pose) picture.append(image(entry.pose, `How to pose: ${entry.how}`, 288, 288));
    if (entry.sticker) {
      const sticker = image(entry.sticker, "", 60, 60);
      sticker.className = "sticker";
      picture.append(sticker);
    }
    const title = document.createElement("h3");
    title.textContent = entry.title;
    const how = document.createElement("p");
    how.textContent = entry.how;
    card.append(picture, title, how);
    list.append(card);
    cards.set(entry.label, card);
  }
  return cards;
}

function image(src, alt, width, height) {
  const picture = document.createElement("img");
  Object.assign(picture, { src, alt, width, height, loading: "lazy", decoding: "async" });
  return picture;
}
