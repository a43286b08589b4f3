function compileConstructor(dtype, dimension) {
  // Equal to ndarray 1.1.1, which writes these views as text and compiles them at run time; the
  // page's policy allows no code from text.
  const generic = dtype === "generic", n = dimension;
  function View(data, shape, stride, offset) { this.data = data; this.shape = shape; this.stride = stride; this.offset = offset | 0; }
  function make(data, shape, stride, offset) { return new View(data, shape.slice(0, n), stride.slice(0, n), offset); }
  const P = View.prototype;
  P.dtype = dtype;
  P.dimension = n;
  if (n < 0) {
    P.size = 0;
    P.index = function () { return -1; };
    P.lo = P.hi = P.transpose = P.step = function () { return new View(this.data, [], [], 0); };
    P.get = P.set = function () {};
    P.pick = function () { return null; };
    return function (data) { return new View(data, [], [], 0); };
  }
  Object.defineProperty(P, "size", { get() { return this.shape.slice(0, n).reduce((all, one) => all * one, 1); } });
  Object.defineProperty(P, "order", { get() {
    const a = this.stride.map(Math.abs);
    if (n === 3) {
      if (a[0] > a[1]) return a[1] > a[2] ? [2, 1, 0] : a[0] > a[2] ? [1, 2, 0] : [1, 0, 2];
      return a[0] > a[2] ? [2, 0, 1] : a[2] > a[1] ? [0, 1, 2] : [0, 2, 1];
    }
    return a.map((_, i) => i).sort((i, j) => a[i] - a[j] || i - j);
  } });
  P.index = n === 2
    ? function (i, j) { return this.offset + this.stride[0] * i + this.stride[1] * j; }
    : function () { let at = this.offset; for (let i = 0; i < n; ++i) at += this.stride[i] * arguments[i]; return at; };
  P.get = function () { const at = P.index.apply(this, arguments); return generic ? this.data.get(at) : this.data[at]; };
  P.set = function () { const at = P.index.apply(this, arguments), value = arguments[n]; return generic ? this.data.set(at, value) : (this.data[at] = value); };
  if (n === 2 && !generic) {
    P.get = function (i, j) { return this.data[this.offset + this.stride[0] * i + this.stride[1] * j]; };
    P.set = function (i, j, value) { return (this.data[this.offset + this.stride[0] * i + this.stride[1] * j] = value); };
  }
  if (n === 0) P.valueOf = P.get;
  const given = (value) => typeof value === "number" && value >= 0;
  P.hi = function () { return make(this.data, this.shape.map((size, i) => (given(arguments[i]) ? arguments[i] | 0 : size)), this.stride, this.offset); };
  P.lo = function () {
    let at = this.offset;
    const shape = this.shape.slice();
    for (let i = 0; i < n; ++i) if (given(arguments[i])) { const d = arguments[i] | 0; at += this.stride[i] * d; shape[i] -= d; }
    return make(this.data, shape, this.stride, at);
  };
  P.step = function () {
    let at = this.offset;
    const shape = this.shape.slice(), stride = this.stride.slice();
    for (let i = 0; i < n; ++i) if (typeof arguments[i] === "number") {
      const d = arguments[i] | 0;
      if (d < 0) { at += stride[i] * (shape[i] - 1); shape[i] = Math.ceil(-shape[i] / d); } else shape[i] = Math.ceil(shape[i] / d);
      stride[i] *= d;
    }
    return make(this.data, shape, stride, at);
  };
  P.transpose = function () {
    const axes = Array.from({ length: n }, (_, i) => (arguments[i] === undefined ? i : arguments[i] | 0));
    return make(this.data, axes.map((axis) => this.shape[axis]), axes.map((axis) => this.stride[axis]), this.offset);
  };
  P.pick = function () {
    let at = this.offset;
    const shape = [], stride = [];
    for (let i = 0; i < n; ++i) {
      if (given(arguments[i])) at = (at + this.stride[i] * arguments[i]) | 0;
      else { shape.push(this.shape[i]); stride.push(this.stride[i]); }
    }
    return CACHED_CONSTRUCTORS[dtype][shape.length + 1](this.data, shape, stride, at);
  };
  return function (data, shape, stride, offset) { return make(data, shape, stride, offset); };
}
