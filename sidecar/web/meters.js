// Bars of one's own scores, with the threshold of each label and the progress of its hold.

const CIRCLE = 2 * Math.PI * 7;

export class Meters {
  #rows = new Map();

  /** `list` is the <ul> to fill, `legend` the labels in the order to show. */
  constructor(list, legend) {
    for (const entry of legend) {
      const row = document.createElement("li");
      row.className = "meter";
      row.innerHTML = `
        <span class="meter-name"></span>
        <span class="bar"><span class="fill"></span><span class="tick"></span></span>
        <svg class="ring" viewBox="0 0 18 18" width="18" height="18" aria-hidden="true">
          <circle class="ring-back" cx="9" cy="9" r="7"/>
          <circle class="ring-fill" cx="9" cy="9" r="7" stroke-dasharray="${CIRCLE}"
                  stroke-dashoffset="${CIRCLE}" transform="rotate(-90 9 9)"/>
        </svg>`;
      row.querySelector(".meter-name").textContent = entry.title;
      const bar = row.querySelector(".bar");
      bar.setAttribute("role", "meter");
      bar.setAttribute("aria-label", entry.title);
      bar.setAttribute("aria-valuemin", "0");
      bar.setAttribute("aria-valuemax", "1");
      row.querySelector(".tick").style.left = `${entry.threshold * 100}%`;
      list.append(row);
      this.#rows.set(entry.label, {
        row,
        bar,
        fill: row.querySelector(".fill"),
        ring: row.querySelector(".ring-fill"),
        threshold: entry.threshold,
      });
    }
    this.show([]);
  }

  /** Show one sample's `labels`: `{label, score, progress}`; the others fall to nothing. */
  show(labels) {
    const seen = new Map(labels.map((each) => [each.label, each]));
    for (const [label, { row, bar, fill, ring, threshold }] of this.#rows) {
      const { score = 0, progress = 0 } = seen.get(label) ?? {};
      fill.style.transform = `scaleX(${score})`;
      ring.style.strokeDashoffset = String(CIRCLE * (1 - progress));
      bar.setAttribute("aria-valuenow", score.toFixed(2));
      row.classList.toggle("over", score >= threshold);
      row.classList.toggle("holding", progress > 0);
    }
  }
}
