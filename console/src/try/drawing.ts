/** A drawing as the photograph that a camera would have made of it. */

/** @param address of an SVG file of this server. @returns it as a JPEG file of its own size. */
export async function renderJpeg(address: string, name: string): Promise<File> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext('2d')?.drawImage(image, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  if (blob === null) throw new TypeError('The browser makes no JPEG.');
  return new File([blob], name, { type: 'image/jpeg' });
}
