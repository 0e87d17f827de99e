// SPDX-License-Identifier: Apache-2.0

/** Words in lines of at most `width` characters, each beginning with `indent`; a longer word has a line of its own. */
export function wrapWords(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "") lines.push(line);
  return lines.map((each) => `${indent}${each}\n`).join("");
}
