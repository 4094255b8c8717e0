const tellTales = [
  ['de', 'German', /\b(der|die|das|und|ist|nicht|ein)\b/i],
  ['fr', 'French', /\b(le|la|les|est|une|bonjour|et)\b/i],
  ['es', 'Spanish', /\b(el|los|las|una|hola|y|es)\b/i],
] as const;

/** A guess by a few common words; English when none is there. */
export function detectLanguage(text: string): { readonly code: string; readonly name: string } {
  const found = tellTales.find(([, , words]) => words.test(text));
  return found === undefined ? { code: 'en', name: 'English' } : { code: found[0], name: found[1] };
}
