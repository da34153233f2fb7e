/* SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The resident process of the lab's guest: it proves that the moved guest is the same one, and
 * pings from inside. One process, one poll loop; build with `gcc -static -O2`.
 *
 * TCP port 7777 (IPv4 and IPv6), one command a line, one JSON line as answer:
 *   status                       {"id": 128 random bits, "counter": ticks, "uptime_s": seconds}
 *   ping ADDRESS PPS SECONDS     starts paced echo requests on an absolute schedule, one flow for each family
 *   stop [4|6]                   ends them, both or one
 *   results 4|6                  {"sent", "received", "probes": [[sequence, sent_us, rtt_us or null], ...]}
 *   load MIB                     rewrites that much memory ten times a second (0: ends it)
 * UDP port 7777 sends each datagram back as it is (RFC 862).
 * Times are of the guest's CLOCK_MONOTONIC, which stands still while the guest is paused.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 7777, CLIENTS = 16, LINE = 256, PROBES = 65536, TICK_NS = 100000000, MAX_LOAD_MIB = 48 };

struct client {
    int fd;
    char in[LINE];
    size_t in_len;
    char *out; /* answers that are still to be sent; nothing is read meanwhile */
    size_t out_len, out_sent;
};

struct probe {
    uint64_t sent_ns; /* 0: its slot was missed, and it was not sent */
    int64_t rtt_us; /* -1: no reply yet */
};

static struct client clients[CLIENTS];
static char identity[33];
static uint64_t counter, started_ns;
static volatile char load_memory[MAX_LOAD_MIB << 20];
static size_t load_bytes;

struct flow {
    int fd, family;
    struct sockaddr_storage address;
    socklen_t address_len;
    uint64_t begin_ns, interval_ns;
    uint32_t sent, missed, total, received, pps; /* sent: the next slot, the missed ones included */
    struct probe probes[PROBES];
};

enum { FLOWS = 2 }; /* IPv4, then IPv6 */
static struct flow flows[FLOWS] = {{.fd = -1}, {.fd = -1}};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void discard_answer(struct client *c)
{
    free(c->out);
    c->out = NULL;
    c->out_len = c->out_sent = 0;
}

static void drop(struct client *c)
{
    close(c->fd);
    discard_answer(c);
    *c = (struct client){.fd = -1};
}

static uint16_t checksum(const uint8_t *data, size_t length) /* RFC 1071; length is even here */
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void send_probe(struct flow *flow)
{
    /* type, code, checksum, identifier, sequence as in RFC 792 and RFC 4443 */
    uint8_t packet[64] = {flow->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
    uint16_t id = (uint16_t)getpid(), sequence = htons((uint16_t)flow->sent), sum;
    memcpy(packet + 4, &id, 2);
    memcpy(packet + 6, &sequence, 2);
    if (flow->family == AF_INET) { /* the kernel fills it in for ICMPv6 */
        sum = checksum(packet, sizeof packet);
        memcpy(packet + 2, &sum, 2);
    }
    flow->probes[flow->sent] = (struct probe){.sent_ns = now_ns(), .rtt_us = -1};
    /* One that cannot be sent is lost: it stays in the table without a reply. */
    (void)!sendto(flow->fd, packet, sizeof packet, MSG_DONTWAIT, (void *)&flow->address, flow->address_len);
    flow->sent++;
}

static void take_reply(struct flow *flow, const uint8_t *packet, ssize_t length)
{
    uint16_t id, sequence;
    if (flow->family == AF_INET && length > 0) {
        ssize_t header = (packet[0] & 15) * 4;
        packet += header;
        length -= header;
    }
    if (length < 8 || packet[0] != (flow->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
        return;
    memcpy(&id, packet + 4, 2);
    memcpy(&sequence, packet + 6, 2);
    sequence = ntohs(sequence);
    if (id != (uint16_t)getpid() || sequence >= flow->sent || flow->probes[sequence].rtt_us >= 0)
        return;
    flow->probes[sequence].rtt_us = (int64_t)((now_ns() - flow->probes[sequence].sent_ns) / 1000);
    flow->received++;
}

static void receive_replies(struct flow *flow)
{
    uint8_t packet[1500];
    ssize_t length;
    while ((length = recv(flow->fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0)
        take_reply(flow, packet, length);
}

/* Returns the flow of the address's family, its address set; NULL where it is no address. */
static struct flow *flow_to(const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct flow *flow = NULL;
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        flow = &flows[0];
        memcpy(&flow->address, &four, flow->address_len = sizeof four);
    } else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1) {
        flow = &flows[1];
        memcpy(&flow->address, &six, flow->address_len = sizeof six);
    }
    if (flow)
        flow->family = flow->address.ss_family;
    return flow;
}

static const char *start_flow(const char *address, uint32_t pps, uint32_t seconds)
{
    if (pps < 1 || pps > 1000 || seconds < 1 || (uint64_t)pps * seconds > PROBES)
        return "pps must be 1..1000 and pps times seconds at most 65536";
    struct flow *flow = flow_to(address);
    if (!flow)
        return "not an address";
    if (flow->fd >= 0)
        close(flow->fd);
    flow->sent = flow->missed = flow->total = flow->received = 0;
    int protocol = flow->family == AF_INET ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6;
    flow->fd = socket(flow->family, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (flow->fd < 0)
        return "no raw socket";
    flow->pps = pps;
    flow->interval_ns = 1000000000u / pps;
    flow->total = pps * seconds;
    flow->begin_ns = now_ns();
    return NULL;
}

static void report_flow(FILE *out, const struct flow *flow)
{
    fprintf(out, "{\"pps\": %u, \"running\": %s, \"sent\": %u, \"received\": %u, \"probes\": [",
            flow->pps, flow->sent < flow->total ? "true" : "false", flow->sent - flow->missed, flow->received);
    const char *separator = "";
    for (uint32_t i = 0; i < flow->sent; i++) {
        if (!flow->probes[i].sent_ns)
            continue;
        fprintf(out, "%s[%u, %llu, ", separator, i, (unsigned long long)(flow->probes[i].sent_ns / 1000));
        fprintf(out, flow->probes[i].rtt_us < 0 ? "null]" : "%lld]", (long long)flow->probes[i].rtt_us);
        separator = ", ";
    }
    fprintf(out, "]}\n");
}

static void stop_flow(struct flow *flow)
{
    flow->total = flow->sent;
}

static void command(FILE *out, char *line)
{
    char address[64];
    unsigned pps, seconds, mib;
    const char *error = "unknown command; known: status, ping ADDRESS PPS SECONDS, stop [4|6], results 4|6, load MIB";
    if (!strcmp(line, "status")) {
        fprintf(out, "{\"id\": \"%s\", \"counter\": %llu, \"uptime_s\": %.3f}\n", identity, (unsigned long long)counter,
                (double)(now_ns() - started_ns) / 1e9);
        return;
    }
    if (!strcmp(line, "results 4") || !strcmp(line, "results 6"))
        return report_flow(out, &flows[line[8] == '6']);
    if (sscanf(line, "ping %63s %u %u", address, &pps, &seconds) == 3)
        error = start_flow(address, pps, seconds);
    else if (sscanf(line, "load %u", &mib) == 1 && mib <= MAX_LOAD_MIB)
        load_bytes = (size_t)mib << 20, error = NULL;
    else if (!strcmp(line, "stop 4") || !strcmp(line, "stop 6"))
        stop_flow(&flows[line[5] == '6']), error = NULL;
    else if (!strcmp(line, "stop"))
        stop_flow(&flows[0]), stop_flow(&flows[1]), error = NULL;
    if (error)
        fprintf(out, "{\"error\": \"%s\"}\n", error);
    else
        fprintf(out, "{\"ok\": true}\n");
}

static void read_client(struct client *c)
{
    ssize_t got = recv(c->fd, c->in + c->in_len, LINE - 1 - c->in_len, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            drop(c);
        return;
    }
    c->in_len += (size_t)got;
    c->in[c->in_len] = 0;
    char *end;
    FILE *out = open_memstream(&c->out, &c->out_len);
    while (out && (end = strchr(c->in, '\n'))) {
        *end = 0;
        c->in[strcspn(c->in, "\r")] = 0;
        command(out, c->in);
        c->in_len -= (size_t)(end + 1 - c->in);
        memmove(c->in, end + 1, c->in_len + 1);
    }
    if (!out || fclose(out) || c->in_len == LINE - 1)
        return drop(c); /* no line is that long */
    if (!c->out_len)
        discard_answer(c);
}

static void write_client(struct client *c)
{
    ssize_t put = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0)
        c->out_sent += (size_t)put;
    else if (errno != EAGAIN && errno != EINTR)
        return drop(c);
    if (c->out_sent == c->out_len)
        discard_answer(c);
}

static int listener(int type)
{
    int yes = 1, no = 0;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, (void *)&any, sizeof any) || (type == SOCK_STREAM && listen(fd, CLIENTS))) {
        perror("agent: port 7777");
        exit(1);
    }
    return fd;
}

static void accept_client(int fd)
{
    int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (int i = 0; one >= 0 && i < CLIENTS; i++)
        if (clients[i].fd < 0)
            return (void)(clients[i].fd = one);
    if (one >= 0)
        close(one);
}

static void send_back(int fd)
{
    static uint8_t datagram[9000];
    struct sockaddr_in6 peer;
    socklen_t peer_len = sizeof peer;
    ssize_t length;
    while ((length = recvfrom(fd, datagram, sizeof datagram, MSG_DONTWAIT, (void *)&peer, &peer_len)) >= 0) {
        /* One that cannot be sent back is lost, as on the wire. */
        (void)!sendto(fd, datagram, (size_t)length, MSG_DONTWAIT, (void *)&peer, peer_len);
        peer_len = sizeof peer;
    }
}

/* Leaves out the slots that went by while the machine had other work: a burst would hide what it measures. */
static void skip_missed(struct flow *flow, uint64_t now)
{
    uint64_t slot = (now - flow->begin_ns) / flow->interval_ns;
    for (; flow->sent < slot && flow->sent < flow->total; flow->missed++)
        flow->probes[flow->sent++] = (struct probe){.sent_ns = 0, .rtt_us = -1};
}

/* Does what is due and returns how long nothing else will be. */
static uint64_t run_timers(void)
{
    static uint64_t next_tick_ns;
    uint64_t now = now_ns(), next_ns;
    if (now >= next_tick_ns) {
        counter++;
        next_tick_ns = now + TICK_NS;
        for (size_t i = 0; i < load_bytes; i += 512)
            load_memory[i] = (char)(counter + i / 512);
    }
    next_ns = next_tick_ns;
    for (struct flow *flow = flows; flow < flows + FLOWS; flow++) {
        if (flow->fd < 0 || flow->sent >= flow->total)
            continue;
        skip_missed(flow, now);
        if (flow->sent < flow->total && now >= flow->begin_ns + flow->sent * flow->interval_ns)
            send_probe(flow);
        if (flow->begin_ns + flow->sent * flow->interval_ns < next_ns)
            next_ns = flow->begin_ns + flow->sent * flow->interval_ns;
    }
    return next_ns > now ? next_ns - now : 0;
}

int main(void)
{
    uint8_t random[16];
    started_ns = now_ns();
    signal(SIGPIPE, SIG_IGN);
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return 1;
    for (int i = 0; i < 16; i++)
        sprintf(identity + 2 * i, "%02x", random[i]);
    for (int i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;
    int listen_fd = listener(SOCK_STREAM), echo_fd = listener(SOCK_DGRAM);
    enum { FIXED = FLOWS + 2 };
    for (;;) {
        struct pollfd wait[CLIENTS + FIXED] = {
            {listen_fd, POLLIN, 0}, {echo_fd, POLLIN, 0}, {flows[0].fd, POLLIN, 0}, {flows[1].fd, POLLIN, 0}};
        for (int i = 0; i < CLIENTS; i++)
            wait[i + FIXED] = (struct pollfd){clients[i].fd, (short)(clients[i].out_len ? POLLOUT : POLLIN), 0};
        uint64_t pause_ns = run_timers();
        struct timespec pause = {(time_t)(pause_ns / 1000000000u), (long)(pause_ns % 1000000000u)};
        if (ppoll(wait, CLIENTS + FIXED, &pause, NULL) <= 0)
            continue;
        if (wait[1].revents)
            send_back(echo_fd);
        for (int i = 0; i < FLOWS; i++)
            if (wait[i + 2].revents)
                receive_replies(&flows[i]);
        for (int i = 0; i < CLIENTS; i++) {
            if (wait[i + FIXED].revents & POLLOUT)
                write_client(&clients[i]);
            else if (wait[i + FIXED].revents)
                read_client(&clients[i]);
        }
        if (wait[0].revents)
            accept_client(listen_fd);
    }
}
