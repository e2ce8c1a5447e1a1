package carafe.network;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;

/// Names that this engine gives to links and endpoints. Host ends are called `veth`, five characters that are this
/// engine's, and six by chance; names beginning so are this engine's to remove.
final class Marks {

    private static final int MARK = 5;

    private final String mark;
    private final SecureRandom random;

    Marks(String engineId) {
        this(engineId, new SecureRandom());
    }

    /// With this chance.
    Marks(String engineId, SecureRandom random) {
        this.random = random;
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(engineId.getBytes(StandardCharsets.UTF_8));
            mark = HexFormat.of().formatHex(digest).substring(0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /// This engine's mark, in remarks on bridges.
    String mark() {
        return mark;
    }

    /// Whether the link is a host end of this engine.
    boolean isOurs(String link) {
        return link.startsWith(prefix()) && link.length() == prefix().length() + 6;
    }

    private String prefix() {
        return "veth" + mark.substring(0, MARK);
    }

    /// A host end's name; sixteen million are possible, so one of a thousand links may have it already.
    String hostLink() {
        return prefix() + hex(3);
    }

    /// 64 characters for an endpoint or a network.
    String id() {
        return hex(32);
    }

    private String hex(int bytes) {
        byte[] chance = new byte[bytes];
        random.nextBytes(chance);
        return HexFormat.of().formatHex(chance);
    }
}
