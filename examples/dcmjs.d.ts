/** The part of dcmjs that dicom-series.ts uses; the package has no types of its own. */
declare module 'dcmjs' {
  /** Elements by their tag. */
  type Elements = Record<string, { vr: string; Value: unknown[] }>;
  /** Values by their keyword, such as `PixelSpacing`. */
  type Values = Record<string, unknown>;

  class DicomDict {
    constructor(meta: Elements);
    meta: Elements;
    dict: Elements;
    write(): ArrayBuffer;
  }

  const dcmjs: {
    readonly log: { getLogger(name: string): { setLevel(level: 'silent'): void } };
    readonly data: {
      readonly DicomDict: typeof DicomDict;
      readonly DicomMessage: { readFile(file: ArrayBuffer): DicomDict };
      readonly DicomMetaDictionary: {
        uid(): string;
        naturalizeDataset(elements: Elements): Values;
        denaturalizeDataset(values: Values): Elements;
      };
    };
  };
  export default dcmjs;
}
