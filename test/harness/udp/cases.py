"""Ways to send and receive datagrams. Prints what the program itself counted, one JSON object for each socket and peer:
{"case","cookie","peer","port","sent","bytes_sent","received","bytes_received"}, addresses as IPv6."""

import ctypes, json, os, socket, struct, sys, threading
from collections import defaultdict

SO_COOKIE, SO_RCVBUFFORCE, UDP_CORK, UDP_SEGMENT, UDP_GRO, MSG_ERRQUEUE = 57, 33, 1, 103, 104, 0x2000
libc = ctypes.CDLL(None, use_errno=True)
told = defaultdict(lambda: [0, 0, 0, 0])
running = None
opened = []  # kept until the end: cookies and ports stay
lock = threading.Lock()


def tally(sock, peer, **counts):
    cookie = struct.unpack("Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]
    address = "::ffff:" + peer[0] if "." in peer[0] and ":" not in peer[0] else peer[0]
    with lock:
        row = told[running, cookie, socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address)), peer[1]]
        for index, name in enumerate(("sent", "bytes_sent", "received", "bytes_received")):
            row[index] += counts.get(name, 0)


def new(ip, port=0):
    sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
    if ip == "::":
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((ip, port))
    sock.settimeout(1)
    opened.append(sock)
    return sock


def name(sock):
    return sock.getsockname()[:2]


def to(sock, peer, size, flags=0, datagrams=1):
    tally(sock, peer, sent=datagrams, bytes_sent=sock.sendto(bytes(size), flags, peer))


def send(sock, size, flags=0, datagrams=1):
    tally(sock, sock.getpeername(), sent=datagrams, bytes_sent=sock.send(bytes(size), flags))


def take(sock, size=65535, flags=0, got=len, datagrams=1):
    data, peer = sock.recvfrom(size, flags)
    tally(sock, peer, received=datagrams, bytes_received=got(data))


def receive(sock, peer=None, size=65535, flags=0):
    tally(sock, peer or sock.getpeername(), received=1, bytes_received=len(sock.recv(size, flags)))


def drain(sock):
    sock.settimeout(0)
    try:
        while True:
            take(sock)
    except BlockingIOError:
        pass


def connected(ip, a, b):
    a.connect(name(b))
    b.connect(name(a))
    for size in range(50):
        send(a, 100 + size), receive(b), send(b, 500 + size), receive(a)


def named(ip, a, b):
    c = new(ip)
    for size in range(50):
        to(a, name(b), 10 + size), take(b), to(b, name(a), 20 + size), take(a), to(c, name(b), 7), take(b)


def sendmsg_recvmsg(ip, a, b):
    for _ in range(20):
        tally(a, name(b), sent=1, bytes_sent=a.sendmsg([bytes(30), bytes(40)], [], 0, name(b)))
        data, _, _, peer = b.recvmsg(2000, 256)
        tally(b, peer, received=1, bytes_received=len(data))


class Header(ctypes.Structure):
    """struct mmsghdr."""
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("iov", ctypes.c_void_p), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int), ("hole", ctypes.c_int), ("len", ctypes.c_uint)]


def sockaddr(peer):
    if ":" in peer[0]:
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(peer[1]), 0, socket.inet_pton(socket.AF_INET6, peer[0]), 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(peer[1]), socket.inet_pton(socket.AF_INET, peer[0]))


def parsed(raw):
    six = struct.unpack_from("=H", raw)[0] == socket.AF_INET6
    address = socket.inet_ntop(socket.AF_INET6, raw[8:24]) if six else socket.inet_ntop(socket.AF_INET, raw[4:8])
    return address, socket.ntohs(struct.unpack_from("=H", raw, 2)[0])


def mmsg(ip, a, b):
    """sendmmsg(2) to two peers in turns, recvmmsg(2) at each."""
    c = new(ip)
    peers = [name(b), name(c)] * 8
    buffers = [ctypes.create_string_buffer(2000) for _ in peers]
    vectors = [(ctypes.c_size_t * 2)(ctypes.addressof(buffer), 50 + index) for index, buffer in enumerate(buffers)]
    names = [ctypes.create_string_buffer(sockaddr(peer), 28) for peer in peers]
    length = len(sockaddr(peers[0]))
    headers = (Header * 16)(*[Header(ctypes.addressof(names[i]), length, ctypes.addressof(vectors[i]), 1) for i in range(16)])
    for index in range(libc.sendmmsg(a.fileno(), headers, 16, 0)):
        tally(a, peers[index], sent=1, bytes_sent=headers[index].len)
    for sock in (b, c):
        for index in range(16):
            vectors[index][1], headers[index].namelen = 2000, 28
        for index in range(libc.recvmmsg(sock.fileno(), headers, 16, socket.MSG_DONTWAIT, None)):
            tally(sock, parsed(names[index].raw), received=1, bytes_received=headers[index].len)


def unnamed(ip, a, b):
    """recv(2) and read(2) on an unconnected socket."""
    for _ in range(20):
        to(a, name(b), 11), receive(b, name(a))
        to(a, name(b), 13), tally(b, name(a), received=1, bytes_received=len(os.read(b.fileno(), 2000)))


def unnamed_answer(ip, a, b):
    """The same, of the only peer that the socket has sent to."""
    for _ in range(20):
        to(a, name(b), 11), take(b), to(b, name(a), 13), receive(a, name(b))


def peek(ip, a, b):
    for _ in range(20):
        to(a, name(b), 21), b.recvfrom(2000, socket.MSG_PEEK), b.recv(2000, socket.MSG_PEEK), take(b)
    b.connect(name(a))
    to(a, name(b), 22), b.recv(10, socket.MSG_PEEK | socket.MSG_TRUNC), receive(b)


def truncated(ip, a, b):
    for _ in range(10):
        to(a, name(b), 900), take(b, 100)


def msg_trunc(ip, a, b):
    """The call returns the datagram's whole length."""
    for _ in range(10):
        to(a, name(b), 900), take(b, 100, socket.MSG_TRUNC, got=lambda _: 900)


def empty(ip, a, b):
    to(a, name(b), 0), take(b)
    a.connect(name(b)), b.connect(name(a))
    send(a, 0), receive(b)


def msg_more(ip, a, b):
    for _ in range(10):
        to(a, name(b), 10, socket.MSG_MORE, datagrams=0)
        tally(a, name(b), bytes_sent=a.send(bytes(20), socket.MSG_MORE))
        tally(a, name(b), sent=1, bytes_sent=a.send(bytes(30))), take(b)
    a.connect(name(b))
    send(a, 5, socket.MSG_MORE, datagrams=0), send(a, 6), take(b)


def cork_by_option(ip, a, b):
    a.connect(name(b))
    a.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 1)
    send(a, 10, datagrams=0), send(a, 20)
    a.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 0)
    take(b)


def segments_by_option(ip, a, b):
    a.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 500)
    to(a, name(b), 2001, datagrams=5)
    for _ in range(5):
        take(b)


def segments_by_message(ip, a, b):
    control = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", 500))]
    tally(a, name(b), sent=4, bytes_sent=a.sendmsg([bytes(2000)], control, 0, name(b)))
    for _ in range(4):
        take(b)


def gro(ip, a, b):
    a.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 500)
    b.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    to(a, name(b), 2000, datagrams=4), take(b, datagrams=4)


def refused(ip, a, b):
    port = name(b)[1]
    b.close()
    a.connect((ip, port))
    send(a, 31)
    try:
        a.recv(100)
    except ConnectionRefusedError:
        send(a, 32)


def error_queue(ip, a, b):
    port = name(b)[1]
    b.close()
    a.setsockopt(socket.IPPROTO_IPV6 if ":" in ip else socket.IPPROTO_IP, 25 if ":" in ip else 11, 1)  # RECVERR
    for again in range(5):  # the kernel limits how many of these errors it sends
        to(a, (ip, port), 33)
        try:
            return a.recvmsg(100, 512, MSG_ERRQUEUE)
        except TimeoutError:
            if again == 4:
                raise


def splice(ip, a, b):
    a.connect(name(b)), b.connect(name(a))
    source, target = os.pipe()
    for size in (100, 200):
        os.write(target, bytes(size))
        tally(a, name(b), sent=1, bytes_sent=os.splice(source, a.fileno(), size)), receive(b)


def sendfile(ip, a, b):
    a.connect(name(b))
    with open("/proc/self/exe", "rb") as file:
        tally(a, name(b), sent=1, bytes_sent=os.sendfile(a.fileno(), file.fileno(), 0, 900))
    take(b)


def sendto_elsewhere(ip, a, b):
    """sendto(2) with an address on a connected socket."""
    c = new(ip)
    a.connect(name(b))
    for _ in range(10):
        to(a, name(c), 31), take(c), send(a, 33), take(b), to(a, name(b), 35), take(b)


def reconnect(ip, a, b):
    c = new(ip)
    a.connect(name(b)), send(a, 41), take(b), a.connect(name(c)), send(a, 43), take(c)
    libc.connect(a.fileno(), struct.pack("=H14x", socket.AF_UNSPEC), 16)
    to(a, name(b), 45), take(b)


def overflow(ip, a, b):
    b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2000)
    for _ in range(50):
        to(a, name(b), 500)
    drain(b)


def unread(ip, a, b):
    for _ in range(5):
        to(a, name(b), 61)
    take(b)
    b.close()


def fragments(ip, a, b):
    """Longer than the loopback's MTU."""
    for _ in range(3):
        to(a, name(b), 65400), take(b)


def shut_down(ip, a, b):
    a.connect(name(b)), b.connect(name(a))
    send(a, 5), receive(b), b.shutdown(socket.SHUT_RD), b.settimeout(None)
    b.recv(99), b.recv(99)


def threads(ip, a, b):
    """Eight threads send on one socket, each to a peer of its own, and eight receive on another."""
    peers = [new(ip) for _ in range(8)]
    for sock in (b, *peers):
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    run([lambda peer=peer: [to(a, name(peer), 32) for _ in range(500)] for peer in peers])
    for peer in peers:
        for _ in range(500):
            take(peer), to(peer, name(b), 40)
    run([lambda: [take(b) for _ in range(500)] for _ in peers])


def run(jobs):
    started = [threading.Thread(target=job) for job in jobs]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def mapped(ip, a, b):
    """An IPv6 socket that talks IPv4."""
    if ":" in ip:
        return
    six, connected = new("::"), new("::")
    far = ("::ffff:" + ip, name(b)[1])
    connected.connect(far)
    for _ in range(10):
        to(six, far, 51), take(b), to(b, (ip, name(six)[1]), 53), take(six), send(connected, 55), take(b)


def multicast(ip, a, b):
    """One that sends, two that receive."""
    if ":" in ip:
        return
    group = socket.inet_aton("239.1.2.3") + socket.inet_aton(ip)
    a.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ip))
    members = [new("0.0.0.0", 5123), new("0.0.0.0", 5123)]
    for member in members:
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    for _ in range(10):
        to(a, ("239.1.2.3", 5123), 81), take(members[0]), take(members[1])


CASES = [connected, named, sendmsg_recvmsg, mmsg, unnamed, unnamed_answer, peek, truncated, msg_trunc, empty, msg_more,
         cork_by_option, segments_by_option, segments_by_message, gro, refused, error_queue, splice, sendfile, sendto_elsewhere,
         reconnect, overflow, unread, fragments, shut_down, threads, mapped, multicast]

for case in CASES:
    for ip in ("127.0.0.1", "::1"):
        running = f"{case.__name__} {'IPv6' if ':' in ip else 'IPv4'}"
        try:
            case(ip, new(ip), new(ip))
        except OSError as error:
            sys.exit(f"{running}: {error}")
for (case, cookie, peer, port), (sent, bytes_sent, received, bytes_received) in told.items():
    print(json.dumps({"case": case, "cookie": cookie, "peer": peer, "port": port, "sent": sent, "bytes_sent": bytes_sent,
                      "received": received, "bytes_received": bytes_received}))
