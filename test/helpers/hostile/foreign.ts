/** Files that are no picture anybody takes, and some that are two things at once: refused by their first bytes. */

import { gzipSync } from 'node:zlib';
import { be16, be32, cat, drawing, filesOf, type HostileFile, le16, le32, type Row } from './file.ts';
import { box } from './heif.ts';

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="90" height="90"/></svg>';
const external = '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>';

export async function foreigners(): Promise<HostileFile[]> {
  const jpeg = await drawing().jpeg().toBuffer();
  const png = await drawing().png().toBuffer();
  const files: Readonly<Record<string, Uint8Array | string>> = {
    'no bytes': '',
    'a byte of 0': '\0',
    'a byte of 255': '\xff',
    'a megabyte of zeros': Buffer.alloc(1_000_000),
    'a megabyte of 255': Buffer.alloc(1_000_000, 0xff),
    SVG: svg,
    'SVG behind an XML head': `<?xml version="1.0"?>${svg}`,
    'SVG behind spaces': ' '.repeat(900) + svg,
    'SVG with an entity of a file': `${external}<svg xmlns="http://www.w3.org/2000/svg">&x;</svg>`,
    'SVG in UTF-16': Buffer.from(`\ufeff${svg}`, 'utf16le'),
    'SVG, packed': gzipSync(svg),
    PDF: '%PDF-1.7\n1 0 obj\n<<>>\nendobj\n',
    PostScript: '%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n',
    'an MVG script': 'push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 "https://example.com/"\n',
    'an MSL script': '<?xml version="1.0"?><image><read filename="/etc/passwd"/></image>',
    'a MIFF': 'id=ImageMagick  version=1.0\nclass=DirectClass\ncolumns=9 rows=9\n\f\n:\x1a',
    'a PPM': cat('P6\n8 8\n255\n', Buffer.alloc(192)),
    'a PGM': cat('P5\n8 8\n255\n', Buffer.alloc(64)),
    'a PBM': cat('P4\n8 8\n', Buffer.alloc(8)),
    'a PFM': cat('PF\n8 8\n-1.0\n', Buffer.alloc(768)),
    'a PAM': cat('P7\nWIDTH 8\nHEIGHT 8\nDEPTH 1\nMAXVAL 255\nENDHDR\n', Buffer.alloc(64)),
    'a VIPS picture': cat([0x08, 0xf2, 0xa6, 0xb6], le32(8, 8, 3, 8, 0, 0, 22), Buffer.alloc(300)),
    'a VIPS picture, the other way': cat(
      [0xb6, 0xa6, 0xf2, 0x08],
      be32(8, 8, 3, 8, 0, 0, 22),
      Buffer.alloc(300),
    ),
    'a Radiance picture': '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 8\n',
    'an OpenEXR': cat([0x76, 0x2f, 0x31, 0x01], le32(2), Buffer.alloc(300)),
    'a FITS': `SIMPLE  =                    T${' '.repeat(51)}BITPIX  =                    8`.padEnd(2_880),
    'a JPEG 2000': cat('\0\0\0\x0cjP  \r\n\x87\n', box('ftyp', cat('jp2 ', be32(0), 'jp2 '))),
    'a JPEG 2000 stream': cat([0xff, 0x4f, 0xff, 0x51], be16(47, 0), be32(9, 9, 0, 0)),
    'a JPEG XL': cat('\0\0\0\x0cJXL \r\n\x87\n', box('ftyp', cat('jxl ', be32(0), 'jxl '))),
    'a JPEG XL stream': Buffer.from([0xff, 0x0a, 0xfa, 0x7f, 0x01]),
    'a JPEG XR': cat('II\xbc\x01', le32(8), Buffer.alloc(64)),
    'a BMP': cat('BM', le32(1_000, 0, 54, 40, 8, 8), le16(1, 24), Buffer.alloc(300)),
    'an icon': cat(le16(0, 1, 1), Buffer.alloc(16), png),
    'a cursor': cat(le16(0, 2, 1), Buffer.alloc(16)),
    'a Photoshop document': cat('8BPS', be16(1), Buffer.alloc(6), be16(3), be32(9, 9), be16(8, 3)),
    'a GIMP document': 'gimp xcf v011\0',
    'a DICOM': cat(Buffer.alloc(128), 'DICM', Buffer.alloc(64)),
    'a NIfTI': cat(le32(348), Buffer.alloc(340), 'n+1\0'),
    'a table of numbers': '1,2,3\n4,5,6\n7,8,9\n',
    'a raw photograph of Canon': cat(box('ftyp', cat('crx ', be32(1), 'crx isom'))),
    'a raw photograph of Panasonic': cat('IIU\0', le32(24), Buffer.alloc(64)),
    'a raw photograph of Fujifilm': 'FUJIFILMCCD-RAW 0201FF393101',
    'a film': cat(box('ftyp', cat('mp42', be32(0), 'mp42isom')), box('mdat', png)),
    'a film by Apple': box('ftyp', cat('qt  ', be32(0), 'qt  ')),
    'a WebM': cat([0x1a, 0x45, 0xdf, 0xa3], Buffer.alloc(64)),
    'a sound': cat('RIFF', le32(4), 'WAVE'),
    'an archive': cat('PK\x03\x04', Buffer.alloc(100)),
    'an archive of a picture': cat('PK\x03\x04', jpeg),
    'a page': '<!doctype html><title>x</title>',
    'a program': cat('\x7fELF', Buffer.alloc(64)),
    'a font': cat([0, 1, 0, 0], Buffer.alloc(64)),
    'a picture behind a byte order mark': cat('\xef\xbb\xbf', jpeg),
    'a picture behind a line': cat('\n', png),
    'a picture in base64': jpeg.toString('base64'),
    'a picture as a data URL': `data:image/jpeg;base64,${jpeg.toString('base64')}`,
    'a PNG through a transfer as text': cat('\x89PNG\n\x1a\n', png.subarray(8)),
    'a picture backwards': Buffer.from(jpeg).reverse(),
  };
  return filesOf(
    undefined,
    Object.entries(files).map(([name, bytes]): Row => [name, cat(bytes), 'unsupported_format']),
  );
}
