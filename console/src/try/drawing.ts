/** Our drawing as the photograph that a camera would have made of it: hung on a wall, with room around it. */

/** In pixels; the drawing takes this share of the height. Closer up, some face finders lose their way in the frame. */
const scene = { width: 1280, height: 960, share: 0.7, wall: '#7b8f9c' } as const;

/** @param address of an SVG file of this server. @returns it as a JPEG file. */
export async function photographDrawing(address: string, name: string): Promise<File> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = scene.width;
  canvas.height = scene.height;
  const pen = canvas.getContext('2d') as CanvasRenderingContext2D;
  pen.fillStyle = scene.wall;
  pen.fillRect(0, 0, scene.width, scene.height);
  const height = scene.height * scene.share;
  const width = (height * image.naturalWidth) / image.naturalHeight;
  pen.drawImage(image, (scene.width - width) / 2, (scene.height - height) / 2, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  if (blob === null) throw new TypeError('The browser makes no JPEG.');
  return new File([blob], name, { type: 'image/jpeg' });
}
