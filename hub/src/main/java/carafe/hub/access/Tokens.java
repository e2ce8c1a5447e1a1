package carafe.hub.access;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Optional;

/// Makes and reads tokens: JSON web tokens signed with a key of this hub alone, for this hub alone. One algorithm, never
/// the one a token asks for. A refresh token also holds the user's password generation: a new password ends it.
/// Source: RFC 7515, RFC 7519; Docker registry v2 token authentication.
public final class Tokens {

    private static final int KEY_BYTES = 32;
    private static final int MAX_LENGTH = 16 << 10;
    private static final String HEADER = encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}".getBytes(StandardCharsets.UTF_8));

    private final byte[] key;
    private final String service;
    private final Clock clock;

    private Tokens(byte[] key, String service, Clock clock) {
        this.key = key;
        this.service = service;
        this.clock = clock;
    }

    /// With the key in `file`, which is made when it is missing. `service` is what the tokens are for.
    public static Tokens open(Path file, String service, Clock clock) throws IOException {
        var fresh = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(fresh);
        var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (var channel = Files.newByteChannel(file,
                EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SYNC), mode)) {
            channel.write(java.nio.ByteBuffer.wrap(fresh));
            return new Tokens(fresh, service, clock);
        } catch (FileAlreadyExistsException e) {
            byte[] key = Files.readAllBytes(file);
            if (key.length != KEY_BYTES) {
                throw new IOException("the key " + file + " is damaged; delete it and let everyone log in again");
            }
            return new Tokens(key, service, clock);
        }
    }

    /// A token for pulls and pushes; `ticket` says where.
    String access(Identity who, Ticket ticket, Duration life) {
        return sign(claims(who, life)
                .put("use", "access")
                .put("access", ticket.toJson())
                .build());
    }

    /// A token to get access tokens with.
    String refresh(Identity who, String generation, Duration life) {
        return sign(claims(who, life).put("use", "refresh").put("gen", generation).build());
    }

    private Json.Builder claims(Identity who, Duration life) {
        long now = clock.instant().getEpochSecond();
        return Json.object()
                .put("iss", service)
                .put("aud", service)
                .put("sub", who.kind() == Identity.Kind.USER ? who.name() : "")
                .put("iat", now)
                .put("nbf", now - 10)
                .put("exp", now + life.toSeconds());
    }

    private String sign(Json.Obj claims) {
        String text = HEADER + "." + encode(claims.printBytes());
        return text + "." + encode(Signature.of(key, text.getBytes(StandardCharsets.US_ASCII)));
    }

    /// The bearer of an access token; empty when it is not ours, or over.
    Optional<Identity> bearer(String token) {
        try {
            var claims = verified(token, "access");
            if (claims.isEmpty()) {
                return Optional.empty();
            }
            var ticket = Optional.of(Ticket.fromJson(claims.get().objects("access")));
            String name = claims.get().text("sub");
            return Optional.of(name.isEmpty()
                    ? new Identity(Identity.Kind.ANONYMOUS, Identity.ANONYMOUS.name(), ticket)
                    : new Identity(Identity.Kind.USER, name, ticket));
        } catch (EngineException.Invalid | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// The user of a refresh token whose password is still the same.
    Optional<Identity> refreshing(String token, Users users) {
        try {
            var claims = verified(token, "refresh");
            if (claims.isEmpty()) {
                return Optional.empty();
            }
            String name = claims.get().text("sub");
            String generation = claims.get().text("gen");
            return users.generation(name).filter(generation::equals).map(_ -> Identity.user(name));
        } catch (EngineException.Invalid | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private Optional<Json.Obj> verified(String token, String use) throws EngineException.Invalid {
        int last = token.lastIndexOf('.');
        if (token.length() > MAX_LENGTH || last < 0 || !token.startsWith(HEADER + ".")) {
            return Optional.empty();
        }
        String text = token.substring(0, last);
        byte[] given = Base64.getUrlDecoder().decode(token.substring(last + 1));
        if (last <= HEADER.length()
                || !MessageDigest.isEqual(given, Signature.of(key, text.getBytes(StandardCharsets.US_ASCII)))) {
            return Optional.empty();
        }
        var claims = Json.parseObject(Base64.getUrlDecoder().decode(text.substring(HEADER.length() + 1)));
        Instant now = clock.instant();
        boolean valid = claims.text("use").equals(use)
                && claims.text("aud").equals(service)
                && claims.number("nbf", Long.MAX_VALUE) <= now.getEpochSecond()
                && claims.number("exp", 0) > now.getEpochSecond();
        return valid ? Optional.of(claims) : Optional.empty();
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
