// Reads just enough of a DICOM file to say what it is, before anything is sent. It trusts nothing
// and stores nothing; the server looks again, and more closely.

const WANTED = {
  0x00080005: "charset",
  0x00080020: "studyDate",
  0x00080060: "modality",
  0x00081030: "studyTitle",
  0x0008103e: "seriesTitle",
  0x00100010: "name",
  0x00100020: "id",
  0x00100021: "issuer",
  0x00100030: "birthDate",
  0x0020000d: "study",
  0x0020000e: "series",
  0x00200011: "seriesNumber",
};
const LAST_WANTED = 0x00200011;
const LONG_LENGTH = new Set(["OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UC", "UN", "UR", "UT", "SV", "UV"]);
const IMPLICIT = "1.2.840.10008.1.2";
const BIG_ENDIAN = "1.2.840.10008.1.2.2";
const DEFLATED = "1.2.840.10008.1.2.1.99";
const UNDEFINED = 0xffffffff;
const ITEM = 0xfffee000;
const SEQUENCE_END = 0xfffee0dd;
const ITEM_END = 0xfffee00d;
const SIZES = [64 * 1024, 1024 * 1024, 16 * 1024 * 1024];
const CHARSETS = {
  "ISO_IR 192": "utf-8",
  "ISO_IR 101": "iso-8859-2",
  "ISO_IR 109": "iso-8859-3",
  "ISO_IR 110": "iso-8859-4",
  "ISO_IR 144": "iso-8859-5",
  "ISO_IR 127": "iso-8859-6",
  "ISO_IR 126": "iso-8859-7",
  "ISO_IR 138": "iso-8859-8",
  "ISO_IR 148": "windows-1254",
  "ISO_IR 13": "shift_jis",
  "ISO_IR 166": "windows-874",
  "ISO 2022 IR 87": "iso-2022-jp",
  "ISO 2022 IR 149": "euc-kr",
  GB18030: "gb18030",
  GBK: "gbk",
};

class NeedMore extends Error {}

class Reader {
  constructor(bytes, at, littleEndian, explicit) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.little = littleEndian;
    this.explicit = explicit;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new NeedMore();
    this.at += count;
    return this.at - count;
  }

  header() {
    const at = this.take(8);
    const tag = this.view.getUint16(at, this.little) * 65536 + this.view.getUint16(at + 2, this.little);
    if (!this.explicit || tag >= ITEM) return { tag, vr: "", length: this.view.getUint32(at + 4, this.little) };
    const vr = String.fromCharCode(this.bytes[at + 4], this.bytes[at + 5]);
    if (!/^[A-Z]{2}$/.test(vr)) throw new Error("broken");
    if (!LONG_LENGTH.has(vr)) return { tag, vr, length: this.view.getUint16(at + 6, this.little) };
    return { tag, vr, length: this.view.getUint32(this.take(4), this.little) };
  }

  // Passes over a value of undefined length: items until the sequence's end, each to its own end.
  skipSequence(depth) {
    if (depth > 32) throw new Error("broken");
    for (;;) {
      const { tag, length } = this.header();
      if (tag === SEQUENCE_END) return;
      if (tag !== ITEM) throw new Error("broken");
      if (length === UNDEFINED) this.skipItem(depth);
      else this.take(length);
    }
  }

  skipItem(depth) {
    for (;;) {
      const { tag, length } = this.header();
      if (tag === ITEM_END) return;
      if (length === UNDEFINED) this.skipSequence(depth + 1);
      else this.take(length);
    }
  }
}

function text(bytes) {
  return new TextDecoder("latin1").decode(bytes).replace(/[\0 ]+$/, "").trim();
}

function decoded(bytes, charset) {
  const names = text(charset ?? new Uint8Array()).split("\\").map((one) => one.trim());
  const label = names.map((one) => CHARSETS[one]).filter(Boolean).pop() ?? "windows-1252";
  try {
    return new TextDecoder(label).decode(bytes).replace(/[\0 ]+$/, "").trim();
  } catch {
    return text(bytes);
  }
}

function readMeta(bytes) {
  const reader = new Reader(bytes, 132, true, true);
  let syntax = "";
  for (;;) {
    const start = reader.at;
    if (start + 8 > bytes.length) throw new NeedMore();
    if (reader.view.getUint16(start, true) !== 2) return { syntax, end: start };
    const { tag, length } = reader.header();
    const value = reader.take(length);
    if (tag === 0x00020002 && text(bytes.subarray(value, value + length)) === "1.2.840.10008.1.3.10") {
      throw new Error("dicomdir");
    }
    if (tag === 0x00020010) syntax = text(bytes.subarray(value, value + length));
  }
}

function readDataset(bytes, at, syntax) {
  const reader = new Reader(bytes, at, syntax !== BIG_ENDIAN, syntax !== IMPLICIT);
  const found = {};
  try {
    while (reader.at < bytes.length) {
      const { tag, vr, length } = reader.header();
      if (tag > LAST_WANTED) return found;
      if (length === UNDEFINED) {
        // Unknown values of undefined length are written in the implicit way (PS3.5 6.2.2).
        const before = reader.explicit;
        if (vr === "UN") reader.explicit = false;
        reader.skipSequence(0);
        reader.explicit = before;
        continue;
      }
      const value = reader.take(length);
      if (WANTED[tag]) found[WANTED[tag]] = bytes.slice(value, value + length);
    }
  } catch (error) {
    // A file that ends early has been read to its end; the server will say what is wrong with it.
    if (!(error instanceof NeedMore)) throw error;
    found.incomplete = true;
  }
  return found;
}

// Inflates until there are `most` bytes, and no further.
export async function inflateStart(blob, most) {
  const reader = blob.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const pieces = [];
  let size = 0;
  try {
    while (size < most) {
      const { value, done } = await reader.read();
      if (done) break;
      pieces.push(value);
      size += value.length;
    }
  } catch (error) {
    if (!size) throw error;
  } finally {
    reader.cancel().catch(() => {});
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function readStart(start, size) {
  const bytes = await start(size);
  if (bytes.length < 132 || text(bytes.subarray(128, 132)) !== "DICM") throw new Error("not-dicom");
  const { syntax, end } = readMeta(bytes);
  if (syntax !== DEFLATED) return readDataset(bytes, end, syntax);
  return readDataset(await inflateStart(new Blob([bytes.subarray(end)]), size), 0, syntax);
}

function described(raw) {
  const { charset } = raw;
  const found = {};
  for (const field of Object.values(WANTED)) {
    if (field !== "charset") found[field] = raw[field] ? decoded(raw[field], charset) : "";
  }
  found.name = found.name.split("=").find((one) => one.replace(/\^/g, "").trim()) ?? "";
  return found;
}

function identified(found) {
  if (!found.study || !found.series) throw new Error("nameless");
  return found;
}

/**
 * Describe a DICOM file by its first bytes.
 * @param {(size: number) => Promise<Uint8Array>} start gives at most `size` first bytes.
 * @param {number} length of the whole file, in bytes.
 * @returns {Promise<object>} the fields of WANTED as text; throws Error("not-dicom"), ("dicomdir"),
 *   ("nameless") or ("broken").
 */
export async function peek(start, length) {
  for (const size of SIZES) {
    let raw;
    try {
      raw = await readStart(start, size);
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error;
      raw = { incomplete: true };
    }
    if (!raw.incomplete || size >= length) return identified(described(raw));
  }
  throw new Error("broken");
}

export function readableName(name) {
  const [family = "", given = "", middle = ""] = name.split("^").map((one) => one.trim());
  return [family, [given, middle].filter(Boolean).join(" ")].filter(Boolean).join(", ");
}
