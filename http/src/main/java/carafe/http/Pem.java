package carafe.http;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/// The blocks of a PEM file. Keys may be PKCS#8, or the older forms that openssl wrote for RSA and EC, which differ
/// from PKCS#8 by an envelope. Source: RFC 7468, RFC 5958, RFC 8017 appendix A, RFC 5915.
final class Pem {

    private static final int MAX_BYTES = 1 << 20;
    private static final byte[] VERSION_0 = {2, 1, 0};
    private static final byte[] RSA = {
        0x30, 0x0d, 6, 9, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 1, 1, 1, 5, 0
    };
    private static final byte[] EC = {6, 7, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1};
    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 4;
    private static final int CURVE = 0xa0; // [0] of an ECPrivateKey

    private record Block(String label, byte[] der) {}

    private final String name;
    private final List<Block> blocks;

    private Pem(String name, List<Block> blocks) {
        this.name = name;
        this.blocks = blocks;
    }

    /// Reads a file.
    /// @throws IOException with a sentence naming the file
    static Pem read(Path file) throws IOException {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException(file + " is too large for a PEM file");
            }
            return parse(file.toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException e) {
            throw new IOException(file + " does not exist", e);
        }
    }

    /// Reads the text of what is called `name` in errors.
    static Pem parse(String name, String text) throws IOException {
        var blocks = new ArrayList<Block>();
        String label = null;
        var body = new StringBuilder();
        for (String line : text.split("\\R")) {
            String bare = line.strip();
            if (bare.startsWith("-----BEGIN ") && bare.endsWith("-----") && bare.length() > 16) {
                label = bare.substring(11, bare.length() - 5);
                body.setLength(0);
            } else if (label != null && bare.equals("-----END " + label + "-----")) {
                try {
                    blocks.add(new Block(label, Base64.getMimeDecoder().decode(body.toString())));
                } catch (IllegalArgumentException e) {
                    throw new IOException(name + " holds a broken " + label, e);
                }
                label = null;
            } else if (label != null) {
                body.append(bare).append('\n');
            }
        }
        return new Pem(name, blocks);
    }

    /// All certificates, in order; at least one.
    List<X509Certificate> certificates() throws IOException {
        var certificates = new ArrayList<X509Certificate>();
        try {
            var factory = CertificateFactory.getInstance("X.509");
            for (var block : blocks) {
                if (block.label.equals("CERTIFICATE")) {
                    var parsed = factory.generateCertificate(new ByteArrayInputStream(block.der));
                    certificates.add((X509Certificate) parsed);
                }
            }
        } catch (CertificateException e) {
            throw new IOException(name + " holds a broken certificate: " + e.getMessage(), e);
        }
        if (certificates.isEmpty()) {
            throw new IOException(name + " holds no certificate");
        }
        return certificates;
    }

    /// The first private key.
    PrivateKey privateKey() throws IOException {
        for (var block : blocks) {
            switch (block.label) {
                case "PRIVATE KEY" -> {
                    return key(block.der);
                }
                case "RSA PRIVATE KEY" -> {
                    return key(element(SEQUENCE, VERSION_0, RSA, element(OCTETS, block.der)));
                }
                case "EC PRIVATE KEY" -> {
                    byte[] algorithm = element(SEQUENCE, EC, curve(block.der));
                    return key(element(SEQUENCE, VERSION_0, algorithm, element(OCTETS, block.der)));
                }
                case "ENCRYPTED PRIVATE KEY" ->
                    throw new IOException(name + " is protected by a passphrase; decrypt it with: openssl pkey");
                default -> {
                    continue; // certificates and curve parameters may stand beside the key
                }
            }
        }
        throw new IOException(name + " holds no private key");
    }

    private PrivateKey key(byte[] pkcs8) throws IOException {
        GeneralSecurityException last = null;
        for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (GeneralSecurityException e) {
                last = e;
            }
        }
        throw new IOException(name + " holds a private key of a form that is not known", last);
    }

    /// The named curve inside an ECPrivateKey, as a whole element.
    private byte[] curve(byte[] der) throws IOException {
        int[] outer = header(der, 0);
        for (int at = outer[0]; at < der.length;) {
            int[] inner = header(der, at);
            if ((der[at] & 0xff) == CURVE) {
                return Arrays.copyOfRange(der, inner[0], inner[1]);
            }
            at = inner[1];
        }
        throw new IOException(name + " holds an EC key that does not name its curve");
    }

    /// Where the content of the element at `at` begins and ends.
    private int[] header(byte[] der, int at) throws IOException {
        int length = at + 1 < der.length ? der[at + 1] & 0xff : 0x80;
        int from = at + 2;
        if (length >= 0x80) {
            int size = length & 0x7f;
            if (size < 1 || size > 2 || from + size > der.length) {
                throw new IOException(name + " holds a broken key");
            }
            length = 0;
            for (int i = 0; i < size; i++) {
                length = length << 8 | der[from++] & 0xff;
            }
        }
        if (from + length > der.length) {
            throw new IOException(name + " holds a broken key");
        }
        return new int[] {from, from + length};
    }

    private static byte[] element(int tag, byte[]... contents) {
        int length = 0;
        for (byte[] content : contents) {
            length += content.length;
        }
        int size = length < 0x80 ? 0 : length < 0x100 ? 1 : 2;
        var element = new byte[2 + size + length];
        element[0] = (byte) tag;
        element[1] = (byte) (size == 0 ? length : 0x80 | size);
        for (int i = 0; i < size; i++) {
            element[2 + i] = (byte) (length >> 8 * (size - 1 - i));
        }
        int at = 2 + size;
        for (byte[] content : contents) {
            System.arraycopy(content, 0, element, at, content.length);
            at += content.length;
        }
        return element;
    }
}
