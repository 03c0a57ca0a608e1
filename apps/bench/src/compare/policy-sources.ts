/** Where the policies come from, by the names of their families. */
const sources: { readonly [family: string]: string } = {
  margin: 'the d-gate, arXiv 1811.01476',
  'margin-difference': 'the d-gate, arXiv 1811.01476',
  'margin-distance': 'the d-gate, arXiv 1811.01476',
  softmax: 'SDN, arXiv 1810.07052',
  entropy: 'BranchyNet, arXiv 1709.01686',
  learned: 'EENet, arXiv 2301.07099',
  'learned-deeper': 'JEI-DNN, arXiv 2310.09163',
  'learned-features': 'JEI-DNN, arXiv 2310.09163',
  patience: 'PABEE, arXiv 2006.04152',
  window: 'PCEE-BERT, Findings of NAACL 2022',
  difference: 'F-PABEE, arXiv 2305.11916',
  ensemble: 'Zero Time Waste, arXiv 2106.05409',
  'ensemble-learned': 'Zero Time Waste, arXiv 2106.05409, over learned scores',
}

/** Whose policy a family is, with the source; a family without an entry is Sluice's own or the caller's. */
export function findPolicySource(family: string): string | null {
  return sources[family] ?? null
}
