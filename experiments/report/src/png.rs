//! An image as a PNG in a data URL.
//!
//! Format: signature, IHDR, one IDAT with filter 0 on every row, IEND; each chunk is length, type, data, CRC-32
//! (PNG specification, third edition, section 5). Base64 as in RFC 4648, section 4.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// `data:image/png;base64,...` of a gray image, `columns` bytes a row, 0 black.
///
/// # Errors
/// None in practice: only the compressor could report one.
pub fn gray(columns: usize, pixels: &[u8]) -> std::io::Result<String> {
    data_url(columns, 1, pixels)
}

/// As [`gray`] for a colour image: all red bytes, then all green ones, then all blue ones.
///
/// # Errors
/// As [`gray`].
pub fn planes(columns: usize, pixels: &[u8]) -> std::io::Result<String> {
    let plane = pixels.len() / 3;
    let interleaved: Vec<u8> =
        (0..plane).flat_map(|i| (0..3).filter_map(move |channel| pixels.get(channel * plane + i).copied())).collect();
    data_url(columns, 3, &interleaved)
}

fn data_url(columns: usize, channels: usize, pixels: &[u8]) -> std::io::Result<String> {
    let rows = pixels.chunks((columns * channels).max(1));
    let mut header = Vec::with_capacity(13);
    header.extend((columns as u32).to_be_bytes());
    header.extend((rows.len() as u32).to_be_bytes());
    // 8 bits; gray or red, green, blue; deflate, adaptive filters, not interlaced.
    header.extend([8, if channels == 3 { 2 } else { 0 }, 0, 0, 0]);
    let mut body = ZlibEncoder::new(Vec::new(), Compression::best());
    for row in rows {
        body.write_all(&[0])?;
        body.write_all(row)?;
    }
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &header);
    chunk(&mut png, b"IDAT", &body.finish()?);
    chunk(&mut png, b"IEND", &[]);
    Ok(format!("data:image/png;base64,{}", base64(&png)))
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    png.extend(crc.sum().to_be_bytes());
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, i| (word << 8) | u32::from(group.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            if i <= group.len() {
                text.push(char::from(DIGITS[(word >> (18 - 6 * i)) as usize & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        // RFC 4648, section 10.
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, text) in expected.iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), *text);
        }
    }

    #[test]
    fn one_black_pixel_has_the_known_frame() {
        let mut png = Vec::new();
        chunk(&mut png, b"IEND", &[]);
        // Every PNG file ends in these twelve bytes.
        assert_eq!(png, [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]);
        let url = gray(1, &[0]).unwrap();
        // Signature, length and type of the header, one by one pixel, eight bits of gray.
        assert!(url.starts_with("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptV"), "{url}");
        // Two by one pixels of 8 bits, colour: rows of six bytes, taken from the three planes in turn.
        let expected = data_url(2, 3, &[1, 3, 5, 2, 4, 6]).unwrap();
        assert_eq!(planes(2, &[1, 2, 3, 4, 5, 6]).unwrap(), expected);
        assert!(expected.starts_with("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB"), "{expected}");
    }
}
