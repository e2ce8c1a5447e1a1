"""Notes in a database, read and written on one page."""
import html
import os
import socket
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Notes</title>
<h1>Notes</h1>
<ol>%s</ol>
<form method="post"><label>A note <input name="note" required></label> <button>Keep</button></form>
<p>%d kept, shown by %s</p></html>
"""


def database(patience=60):
    """A connection; the database may still be starting."""
    end = time.monotonic() + patience
    while True:
        try:
            return psycopg2.connect(os.environ["DATABASE"], connect_timeout=5)
        except psycopg2.OperationalError as e:
            if time.monotonic() > end:
                raise
            print("no database yet:", str(e).strip().splitlines()[0])
            time.sleep(0.3)


class Notes(BaseHTTPRequestHandler):
    def do_GET(self):
        with database() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT note FROM notes ORDER BY id")
            notes = [row[0] for row in cursor]
        connection.close()
        items = "".join("<li>%s</li>" % html.escape(note) for note in notes)
        body = (PAGE % (items, len(notes), socket.gethostname())).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        length = min(int(self.headers["Content-Length"]), 65536)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        with database() as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO notes (note) VALUES (%s)", (form["note"][0],))
        connection.close()
        self.send_response(303)
        self.send_header("Location", "/")
        self.end_headers()


with database() as first, first.cursor() as words:
    words.execute("CREATE TABLE IF NOT EXISTS notes (id SERIAL PRIMARY KEY, note TEXT NOT NULL)")
first.close()
print("serving")
ThreadingHTTPServer(("", 8000), Notes).serve_forever()
