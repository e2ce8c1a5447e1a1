package carafe.network.dns;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Socket;

/// From where other name servers are asked: sockets in one network namespace, owned by the caller.
interface Sockets {

    /// Those of the host's network.
    Sockets HOST = new Sockets() {
        @Override
        public DatagramSocket datagrams() throws IOException {
            return new DatagramSocket();
        }

        @Override
        public Socket stream() {
            return new Socket();
        }
    };

    DatagramSocket datagrams() throws IOException;

    Socket stream() throws IOException;
}
