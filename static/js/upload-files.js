// Turns what a person dropped or chose into a flat list of files, with zip archives opened here
// where that is safe, so that each file in them can be looked at and unticked.

import { inflateStart } from "./dicom-peek.js";

const MOST_MEMBERS = 20000;
const MOST_RATIO = 200;
const RATIO_FROM = 16 * 1024 * 1024;
const STORED = 0;
const DEFLATED = 8;
const LONGEST_NAME = 1024;
const UNPRINTABLE = /[\u0000-\u001f\u007f]/;
const PLAIN_KINDS = [0, 0o040000, 0o100000]; // not said, a folder, a file; a link is none of these
const CRC = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
// What computers leave in folders without anybody wanting it.
const LITTER = /(^|\/)(\.[^/]*|__MACOSX\/.*|Thumbs\.db|desktop\.ini)$/i;

function fromFile(file, path) {
  return {
    path,
    size: file.size,
    zipped: false,
    start: async (count) => new Uint8Array(await file.slice(0, count).arrayBuffer()),
    whole: async () => file,
  };
}

async function fromEntry(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    return [fromFile(file, entry.fullPath.replace(/^\//, ""))];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    for (const one of some) found.push(...(await fromEntry(one)));
  }
  return found;
}

export async function fromDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return fromInput(transfer.files);
  const lists = await Promise.all(entries.map(fromEntry));
  return opened(lists.flat());
}

export async function fromInput(files) {
  return opened([...files].map((file) => fromFile(file, file.webkitRelativePath || file.name)));
}

async function opened(files) {
  const found = [];
  for (const file of files) {
    if (LITTER.test(file.path)) continue;
    const mark = await file.start(4);
    if (mark[0] !== 0x50 || mark[1] !== 0x4b) found.push(file);
    else found.push(...(await membersOf(file)));
  }
  return found;
}

// An archive that is odd in any way is sent whole: the server checks archives more closely.
async function membersOf(file) {
  const archive = await file.whole();
  try {
    const members = await readTable(archive);
    return members
      .filter((member) => !member.name.endsWith("/") && !LITTER.test(member.name))
      .map((member) => fromMember(archive, member, file.path));
  } catch {
    return [{ ...file, zipped: true }];
  }
}

async function readTable(archive) {
  const tailAt = Math.max(0, archive.size - 65557);
  const tail = new DataView(await archive.slice(tailAt).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Error("no table");
  const count = tail.getUint16(end + 10, true);
  const size = tail.getUint32(end + 12, true);
  const offset = tail.getUint32(end + 16, true);
  const ends = end + 22 + tail.getUint16(end + 20, true) === tail.byteLength;
  if (!ends || offset + size !== tailAt + end) throw new Error("something else is there");
  if (count > MOST_MEMBERS || offset === 0xffffffff || count === 0xffff) throw new Error("large");
  const table = new DataView(await archive.slice(offset, offset + size).arrayBuffer());
  const members = [];
  for (let at = 0; members.length < count; ) {
    if (table.getUint32(at, true) !== 0x02014b50) throw new Error("broken");
    const member = readEntry(table, at);
    members.push(member);
    at = member.next;
  }
  if (shareName(members) || shareBytes(members)) throw new Error("odd");
  return members;
}

function shareName(members) {
  return new Set(members.map((member) => member.name.normalize("NFKC").toLowerCase())).size < members.length;
}

function shareBytes(members) {
  const inOrder = [...members].sort((one, other) => one.offset - other.offset);
  return inOrder.some((one, index) => index && one.offset < inOrder[index - 1].offset + 30 + inOrder[index - 1].packed);
}

function readEntry(table, at) {
  const nameLength = table.getUint16(at + 28, true);
  const raw = new Uint8Array(table.buffer, at + 46, nameLength);
  const member = {
    name: new TextDecoder("utf-8").decode(raw),
    flags: table.getUint16(at + 8, true),
    method: table.getUint16(at + 10, true),
    sum: table.getUint32(at + 16, true),
    packed: table.getUint32(at + 20, true),
    size: table.getUint32(at + 24, true),
    offset: table.getUint32(at + 42, true),
    next: at + 46 + nameLength + table.getUint16(at + 30, true) + table.getUint16(at + 32, true),
  };
  const known = member.method === STORED || member.method === DEFLATED;
  const climbs = member.name.split(/[\\/]/).includes("..") || /^([\\/]|.:)/.test(member.name);
  const nameless = nameLength > LONGEST_NAME || UNPRINTABLE.test(member.name);
  const link = !PLAIN_KINDS.includes((table.getUint32(at + 38, true) >>> 16) & 0o170000);
  const bomb = member.size > Math.max(RATIO_FROM, member.packed * MOST_RATIO);
  const odd = !known || climbs || nameless || link || bomb || member.flags & 1;
  if (odd || member.size === 0xffffffff) throw new Error("odd");
  return member;
}

function fromMember(archive, member, path) {
  async function packed() {
    const head = new DataView(await archive.slice(member.offset, member.offset + 30).arrayBuffer());
    if (head.getUint32(0, true) !== 0x04034b50) throw new Error("broken");
    const at = member.offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    return archive.slice(at, at + member.packed);
  }
  return {
    path: `${path}/${member.name}`,
    size: member.size,
    zipped: false,
    start: async (count) => {
      const part = await packed();
      if (member.method === DEFLATED) return inflateStart(part, Math.min(count, member.size));
      return new Uint8Array(await part.slice(0, count).arrayBuffer());
    },
    whole: async () => {
      const part = await packed();
      const whole = member.method === STORED ? part : new Blob([await inflateStart(part, member.size + 1)]);
      if (whole.size !== member.size) throw new Error("the archive promises another size.");
      if ((await checksum(whole)) !== member.sum) throw new Error("it was damaged in the archive.");
      return whole;
    },
  };
}

async function checksum(blob) {
  const reader = blob.stream().getReader();
  let sum = -1;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return (sum ^ -1) >>> 0;
    for (let at = 0; at < value.length; at += 1) sum = CRC[(sum ^ value[at]) & 255] ^ (sum >>> 8);
  }
}
