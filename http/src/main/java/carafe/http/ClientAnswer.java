package carafe.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/// An answer over a [ClientConnection], which takes itself back when the body has been read.
final class ClientAnswer implements ClientResponse {

    private final ClientConnection connection;
    private final int status;
    private final Headers headers;
    private final BodyInput body;

    ClientAnswer(ClientConnection connection, int status, Headers headers, BodyInput body) {
        this.connection = connection;
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    @Override
    public int status() {
        return status;
    }

    @Override
    public Headers headers() {
        return headers;
    }

    @Override
    public InputStream body() {
        return body;
    }

    @Override
    public byte[] readBody(int limitBytes) throws IOException {
        try {
            var bytes = new ByteArrayOutputStream();
            var piece = new byte[8 << 10];
            for (int read = body.read(piece); read >= 0; read = body.read(piece)) {
                if (bytes.size() + read > limitBytes) {
                    throw new IOException("the answer is longer than " + limitBytes + " bytes");
                }
                bytes.write(piece, 0, read);
            }
            return bytes.toByteArray();
        } catch (IOException e) {
            connection.close();
            throw e;
        }
    }

    @Override
    public void close() {
        if (!body.ended()) {
            connection.close();
        }
    }
}
