/** Boxes and where they are on the screen. Boxes are pixels of the picture. */

export const EDGES = ["left", "top", "right", "bottom"];
const SMALLEST = 2;

/** `value`, not below `low` and not above `high`. */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The box between two points, cut off at the picture's edges; null where it is too small. */
export function boxBetween(one, other, label, size) {
  const box = {
    label,
    left: clamp(Math.min(one.x, other.x), 0, size.width),
    top: clamp(Math.min(one.y, other.y), 0, size.height),
    right: clamp(Math.max(one.x, other.x), 0, size.width),
    bottom: clamp(Math.max(one.y, other.y), 0, size.height),
  };
  return isLarge(box) ? rounded(box) : null;
}

/** The box moved by so much, as far as the picture goes. */
export function moved(box, dx, dy, size) {
  const x = clamp(dx, -box.left, size.width - box.right);
  const y = clamp(dy, -box.top, size.height - box.bottom);
  return rounded({ ...box, left: box.left + x, right: box.right + x, top: box.top + y, bottom: box.bottom + y });
}

/** The box with the edges that `handle` names ("left top", "right") moved to a point. */
export function resized(box, handle, point, size) {
  const next = { ...box };
  if (handle.includes("left")) next.left = clamp(point.x, 0, box.right - SMALLEST);
  if (handle.includes("right")) next.right = clamp(point.x, box.left + SMALLEST, size.width);
  if (handle.includes("top")) next.top = clamp(point.y, 0, box.bottom - SMALLEST);
  if (handle.includes("bottom")) next.bottom = clamp(point.y, box.top + SMALLEST, size.height);
  return rounded(next);
}

/** Whether two boxes are of the same thing: half of what either covers is shared. */
export function isSame(one, other) {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  const shared = Math.max(across, 0) * Math.max(down, 0);
  return shared > 0.5 * (area(one) + area(other) - shared);
}

/** The index of the smallest box that holds a point, -1 for none: it lies on top. */
export function boxAt(boxes, point) {
  let found = -1;
  boxes.forEach((box, index) => {
    const inside = point.x >= box.left && point.x <= box.right && point.y >= box.top && point.y <= box.bottom;
    if (inside && (found < 0 || area(box) < area(boxes[found]))) found = index;
  });
  return found;
}

export const area = (box) => (box.right - box.left) * (box.bottom - box.top);
const isLarge = (box) => box.right - box.left >= SMALLEST && box.bottom - box.top >= SMALLEST;

function rounded(box) {
  const next = { ...box };
  for (const edge of EDGES) next[edge] = Math.round(next[edge] * 10) / 10;
  return next;
}
