/** Sentences for people are not mutated: a spec that repeats them word for word makes no promise. */
export const words = {
  shouldIgnore(path) {
    const texts = path.isStringLiteral()
      ? [path.node.value]
      : path.isTemplateLiteral()
        ? path.node.quasis.map(({ value }) => value.raw)
        : [];
    return texts.some((text) => text.includes(' ')) ? 'a sentence for people' : undefined;
  },
};
