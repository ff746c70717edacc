// Search in a few short texts: each word must begin a word of one of them.

/** Whether every word of `query` begins a word of `texts`; an empty query finds all. */
export function matches(query, texts) {
  const words = wordsOf(texts.join(" "));
  return wordsOf(query).every((wanted) => words.some((word) => word.startsWith(wanted)));
}

function wordsOf(text) {
  return text.toLocaleLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}
