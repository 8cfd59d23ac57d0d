/** The glue of @mediapipe/face_detection, made fit for a page whose policy allows no code from text: an ES module without `new Function`. */

import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/** The one file that the replacements below were written for. */
const sha256 = '3dec48f7ff6b87f698637868f05fe281081fd8f7666eb6a0c11bf94a847a2bdd';

/** Each part of the glue that makes a function from text, from its first to its last words, and a closure that does the same. */
const replacements = [
  {
    within: 'function createNamedFunction',
    from: 'return new Function(',
    to: '(body)}',
    by: 'return {[name]: function() { "use strict"; return body.apply(this, arguments) }}[name]}',
  },
  {
    // A method of a C++ class, called from JavaScript.
    within: 'function craftInvokerFunction',
    from: 'var argsList="";',
    to: 'return invokerFunction}',
    by: `return function(...args) {
      if (args.length !== argCount - 2) {
        throwBindingError("function " + humanName + " called with " + args.length + " arguments, expected " + (argCount - 2) + " args!");
      }
      const destructors = needsDestructorStack ? [] : null;
      const wired = isClassMethodFunc ? [argTypes[1].toWireType(destructors, this)] : [];
      args.forEach((arg, i) => wired.push(argTypes[i + 2].toWireType(destructors, arg)));
      const result = cppInvokerFunc(cppTargetFunc, ...wired);
      if (needsDestructorStack) runDestructors(destructors);
      else wired.forEach((value, i) => {
        const { destructorFunction } = argTypes[i + (isClassMethodFunc ? 1 : 2)];
        if (destructorFunction !== null) destructorFunction(value);
      });
      return returns ? argTypes[0].fromWireType(result) : undefined;
    }}`,
  },
  {
    // A method of a JavaScript object, called from C++.
    within: 'function __emval_get_method_caller',
    from: 'var params=["retType"]',
    to: '.apply(null,args);',
    by: `const given = types.slice(1);
    const invokerFunction = function(handle, name, destructors, args) {
      let offset = 0;
      const values = given.map((type) => {
        const value = type.readValueFromPointer(args + offset);
        offset += type["argPackAdvance"];
        return value;
      });
      const result = handle[name](...values);
      given.forEach((type, i) => { if (type["deleteObject"]) type.deleteObject(values[i]) });
      return retType.isVoid ? undefined : retType.toWireType(destructors, result);
    };`,
  },
  {
    within: '',
    from: "if (typeof exports === 'object' && typeof module === 'object')",
    to: 'exports["createMediapipeSolutionsWasm"] = createMediapipeSolutionsWasm;',
    by: 'export default createMediapipeSolutionsWasm;',
  },
] as const;

/** Vite's plugin that replaces them. The build fails where the package is another than the one looked at. */
export function faceFinderGlue(): Plugin {
  return {
    name: 'face-finder-glue',
    enforce: 'pre',
    transform: {
      filter: { id: /face_detection_solution_simd_wasm_bin\.js$/ },
      handler(code) {
        if (createHash('sha256').update(code).digest('hex') !== sha256) {
          this.error('@mediapipe/face_detection is another than the one whose glue was looked at.');
        }
        const replaced = replacements
          .reduce((text, { within, from, to, by }) => {
            const start = text.indexOf(from, text.indexOf(within));
            const end = text.indexOf(to, start);
            if (start < 0 || end < 0) this.error(`The glue has no "${from}" any more.`);
            return text.slice(0, start) + by + text.slice(end + to.length);
          }, code)
          // In branches for Node, which a bundler would look into.
          .replaceAll(/require\("(?:fs|path|crypto)"\)/g, 'undefined');
        if (/new Function|new_\(Function|\beval\(/.test(replaced))
          this.error('The glue still makes code from text.');
        return { code: replaced, map: null };
      },
    },
  };
}
