/** Writes values as YAML, in every form that Kubernetes reads and that other readers read otherwise. */
export interface YamlWriter {
  /** What stands behind `key:` in a map at this indentation, to the end of the line. */
  value(indent: string): string;
}

/** The same texts for the same seed. */
export function yamlWriter(seed: number): YamlWriter {
  const writer = new Writer(seed);
  return { value: (indent) => writer.value({ indent, depth: 0 }) };
}

interface Place {
  /** Of the map or list that holds the value. */
  readonly indent: string;
  readonly depth: number;
}

/** Looks like one thing and is another; none is refused as a value. */
const traps: readonly string[] = [
  ..."y Y n N yes Yes YES yEs no No NO on On ON off Off OFF true True TRUE tRUE false FALSE ~ null Null NULL nULL".split(" "),
  ..."0 -0 +0 00 0644 -0777 0o777 0O17 08 0_7 0x1F 0X1f -0x10 +0x10 0x 0b101 -0b11 0b2 1_000 1_ _1 1__0 +12 1:30 190:20:30.15".split(
    " ",
  ),
  ..."9007199254740991 9007199254740993 -9007199254740993 9223372036854775807 -9223372036854775808 0x7FFFFFFFFFFFFFFF".split(" "),
  ..."9223372036854775808 -9223372036854775809 18446744073709551615 0xFFFFFFFFFFFFFFFF 123456789012345678901234567890".split(" "),
  ..."1.0 1. .5 -.5 +.5 5.e3 1e3 1E3 1e+3 1e-7 1e21 1e20 1e19 1e18 1e16 1e400 -1e400 1e-400 12e45678 -0.0 0.1 1_000.5 1e".split(
    " ",
  ),
  ..."685.230_15e+03 1.7976931348623157e308 5e-324 0.30000000000000004 4611686018427387904.0 1.5.2 0x1p-2 inf NaN Infinity".split(
    " ",
  ),
  ..."2001-12-14 2024-13-45 2001-12-14T21:59:43.10-05:00 2001-12-15T02:59:43Z 100m 1Gi 2.5Gi 1E 1Ei 8080/TCP nginx:1.27".split(
    " ",
  ),
  ..."a#b http://x/y -a a,b é€ 日本 😀 \u00a0 x\u00ady \u200b \ufffd = << . .. -- ::1 10.0.0.0/8 v1.2 __proto__ constructor".split(
    " ",
  ),
  ...'!!int|"0777" !!int|0x1F !!float|1 !!float|"1e3" !!bool|"yes" !!bool|y !!null|"" !!str !!str|1_0 !!str|yes'.split(" "),
  ...'!!binary|aGVsbG8= !!binary|/w== !!timestamp|2001-12-14 !|12 !|on !!set|{a,|b} !!omap|[a:|1] !<tag:yaml.org,2002:int>|"3"'.split(
    " ",
  ),
  ..."{} [] \"\" ''".split(" "),
].map((text) => text.replaceAll("|", " "));

/** Each becomes another text, so that a map may hold any of them together. */
const oddKeys: readonly string[] = [
  ...'on off 010 0x10 0b11 1_0 9007199254740993 -1 2001-12-14 "<<" "~" "1e3" \'1.5\' __proto__ constructor é 😀 . f:a \'y\''.split(
    " ",
  ),
  ...'k:{"a":1} "\\u0085" "\\u2028x" "\\u0000" "\\ufeff" "\\uffff" a.b/c = !!str|77 !!int|"6" !|9 \'\''.split(" "),
  ...'"a|b" "null" "|" toString 1:30 100m -x "\\\\" \'"\' "\'" 日本 "#" 12e45678'.split(" "),
].map((text) => text.replaceAll("|", " "));

const words = [
  "a",
  "b: c",
  "- d",
  "# e",
  "  f",
  "g  ",
  "\th",
  "",
  "é😀",
  "'",
  '"',
  "%",
  "---x",
  "{",
  "&x",
  "*y",
  "!z",
  "\u00a0",
  "|",
  "x".repeat(90),
];

class Writer {
  #state: number;
  #anchors = 0;

  constructor(seed: number) {
    this.#state = seed;
  }

  value(place: Place): string {
    const branch = place.depth < 3 ? this.#below(20) : 19;
    if (branch < 3) return `\n${this.#map(place)}`;
    if (branch < 4) return `\n${this.#list(place)}`;
    if (branch < 5) return `\n${this.#merged(place)}`;
    if (branch < 7) return ` ${this.#flow(place.depth)}${this.#rest()}`;
    if (branch < 10) return ` ${this.#block(place.indent)}`;
    if (branch < 12) return this.#multiline(place.indent);
    return `${this.#pick([" ", " ", "  "])}${this.#scalar()}${this.#rest()}`;
  }

  #map({ indent, depth }: Place, inside = ""): string {
    const inner = indent + this.#pick([" ", "  ", "    "]);
    const keys = this.#keys(1 + this.#below(4));
    return [inside, ...keys]
      .map((key, index) => (index === 0 ? (key === "" ? "" : `${inner}${key}\n`) : this.#entry(key, { indent: inner, depth })))
      .join("");
  }

  #entry(key: string, { indent, depth }: Place): string {
    if (this.#below(12) === 0) return `${indent}? ${key}\n${indent}:${this.#inList({ indent, depth })}`;
    if (this.#below(12) === 0) return `${indent}${key}:\t${this.#scalar()}${this.#rest()}`;
    return `${indent}${key}:${this.value({ indent, depth: depth + 1 })}`;
  }

  #list({ indent, depth }: Place): string {
    const inner = indent + this.#pick(["", "  "]);
    return Array.from({ length: 1 + this.#below(3) }, () => `${inner}-${this.#inList({ indent: inner, depth })}`).join("");
  }

  /** Behind `-`, where what follows must stand deeper. */
  #inList({ indent, depth }: Place): string {
    if (this.#below(3) === 0) return this.value({ indent: `${indent}  `, depth: depth + 1 });
    return ` ${this.#scalar()}${this.#rest()}`;
  }

  /** A map with an anchor, one that merges it and sets more, and an alias of it. */
  #merged({ indent, depth }: Place): string {
    this.#anchors += 1;
    const anchor = `x${this.#anchors}`;
    const inner = `${indent}  `;
    const place = { indent: inner, depth: depth + 1 };
    const merge = this.#pick([`<<: *${anchor}`, `<<: [*${anchor}, {only: here}]`]);
    return `${inner}base: &${anchor}\n${this.#map(place)}${inner}over:\n${this.#map(place, merge)}${inner}same: *${anchor}\n`;
  }

  #flow(depth: number): string {
    const parts = Array.from({ length: this.#below(4) }, () =>
      depth < 3 && this.#below(4) === 0 ? this.#flow(depth + 1) : this.#flowScalar(),
    );
    const comma = this.#pick([", ", ",", " , "]);
    if (this.#below(2) === 0) return `[${parts.join(comma)}]`;
    const keys = this.#keys(parts.length).map((key) => (/[{}[\],]/.test(key) ? `"${this.#below(1000)}x"` : key));
    return `{${parts.map((part, index) => `${keys[index] ?? ""}: ${part}`).join(comma)}}`;
  }

  #flowScalar(): string {
    const text = this.#scalar();
    // Commas end a plain scalar here, and a colon at its end makes it a key.
    return /^["'{[]/.test(text) || !/[,{}[\]#]|^:|:$|^[-=]+$|^!!?\w*$/.test(text) ? text : "plain";
  }

  #scalar(): string {
    switch (this.#below(6)) {
      case 0:
        return this.#quoted();
      case 1:
        return this.#integer();
      case 2:
        return this.#double();
      default:
        return this.#pick(traps);
    }
  }

  #quoted(): string {
    if (this.#below(4) === 0)
      return `'${this.#text()
        .replaceAll("'", "''")
        .replaceAll(/[^\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/g, "")}'`;
    return `"${Array.from({ length: this.#below(6) }, () => this.#character()).join("")}"`;
  }

  /** One character of any plane within double quotes, raw where that is allowed. */
  #character(): string {
    const code = this.#pick([this.#below(0x100), this.#below(0x3000), this.#below(0x10000), this.#below(0x110000)]);
    if (code >= 0xd800 && code < 0xe000) return "\\ud7ff";
    const raw = String.fromCodePoint(code);
    if (this.#below(2) === 0 && /[\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10fffd}]/u.test(raw))
      return /["\\]/.test(raw) ? `\\${raw}` : raw;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  }

  #integer(): string {
    const bits = BigInt(this.#below(64));
    const value = ((BigInt(this.#next()) << 32n) | BigInt(this.#next())) >> bits;
    const sign = this.#pick(["", "-", "+"]);
    const [prefix, radix] = this.#pick([
      ["", 10],
      ["", 10],
      ["0x", 16],
      ["0", 8],
      ["0b", 2],
      ["0o", 8],
    ] as const);
    return sign + prefix + value.toString(radix);
  }

  #double(): string {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, this.#next());
    view.setUint32(4, this.#next());
    const value = view.getFloat64(0);
    return this.#below(2) === 0 && Number.isFinite(value)
      ? String(value)
      : String((this.#next() - 2 ** 31) / 2 ** this.#below(40));
  }

  #block(indent: string): string {
    const lines = Array.from({ length: 1 + this.#below(5) }, () => this.#pick(words));
    const inner = `${indent}${this.#pick([" ", "  ", "    "])}`;
    // The first line settles the indentation, unless the header says it.
    const explicit = /^[ \t]|^$/.test(lines[0] ?? "") ? String(inner.length - indent.length) : "";
    const end = this.#pick(["", "-", "+"]);
    const header = `${this.#pick(["|", ">"])}${this.#pick([explicit + end, end + explicit])}${this.#pick(["", "", " # c"])}`;
    return `${header}\n${lines.map((line) => (line === "" ? "\n" : `${inner}${line}\n`)).join("")}`;
  }

  /** A plain or quoted text over several lines. */
  #multiline(indent: string): string {
    const quote = this.#pick(["", "'", '"']);
    const lines = Array.from({ length: 2 + this.#below(3) }, () => this.#pick(["aa", "b-b", "c,d", "é 😀", "http://x", "it is"]));
    const gap = this.#pick(["\n", "\n", "\n\n"]);
    return ` ${quote}${lines.join(`${gap}${indent}  `)}${quote}\n`;
  }

  #text(): string {
    return Array.from({ length: this.#below(4) }, () => this.#pick(words)).join(" ");
  }

  #keys(count: number): readonly string[] {
    const keys = new Set<string>();
    for (let index = 0; keys.size < count; index++) keys.add(this.#below(3) === 0 ? this.#pick(oddKeys) : `key${index}`);
    return [...keys];
  }

  #rest(): string {
    return this.#pick(["\n", "\n", "\n", " \n", " # c\n"]);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }

  #below(limit: number): number {
    return this.#next() % limit;
  }

  /** 32 bits of a Weyl sequence, mixed. */
  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }
}
