// JSON as text: what a payload is must be shown as it was sent, and JavaScript's numbers would round it.

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/gs;

/// The text of a member of the object that `text` is; undefined where it has none.
export function memberText(text, name) {
  let depth = 0;
  let key = null;
  let begin = -1;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    const ends = depth === 1 && (token === "," || token === "}");
    if (ends && begin >= 0) return text.slice(begin, index).trim();
    if (token === "{" || token === "[") ++depth;
    else if (token === "}" || token === "]") --depth;
    else if (depth === 1 && token === ":" && key === name) begin = index + 1;
    else if (depth === 1 && token[0] === '"' && begin < 0) key = JSON.parse(token);
  }
  return undefined;
}

/// Laid out with two blanks a level, each number and string as it stood.
export function layOut(text) {
  const out = [];
  let depth = 0;
  let fresh = false; // the last token opened an object or array
  const line = () => out.push("\n", "  ".repeat(depth));
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "}" || token === "]") {
      --depth;
      if (!fresh) line();
    } else if (fresh) {
      line();
    }
    out.push(token === ":" ? ": " : token);
    fresh = token === "{" || token === "[";
    if (fresh) ++depth;
    if (token === ",") line();
  }
  return out.join("");
}
