# SPDX-License-Identifier: GPL-2.0-or-later
#
# Asks Mercurial itself what it makes of random strings. Run by the Python of an
# installed hg: oracle.py ENCODING MODE FALLBACK SEED COUNT AMBIGUOUS. One JSON
# object a line. Bytes are written as ISO-8859-1.
import sys,json,random
name=sys.argv[1]; mode=sys.argv[2]; fb=sys.argv[3]; seed=int(sys.argv[4]); n=int(sys.argv[5]); amb=sys.argv[6]
from mercurial import encoding as E, error
E.encoding=name.encode(); E.encodingmode=mode.encode(); E.fallbackencoding=fb.encode()
E._wide = 'WFA' if amb=='wide' else 'WF'
random.seed(seed)
def L(b): return b.decode('latin1')
frag=[b'a',b'Z',b'\x00',b'\x7f',b'\n',b'"',b'\\',b'<',b'>','é'.encode(),'É'.encode(),'ß'.encode(),'Σ'.encode(),'ς'.encode(),'İ'.encode(),'ı'.encode(),'あ'.encode(),'€'.encode(),'½'.encode(),'𝄞'.encode(),'ﬁ'.encode(),'Ω'.encode(),'я'.encode(),b'\xe9',b'\xc3',b'\xed\xa0\x80',b'\xed\xb0\x81',b'\xed\xb3\xbf',b'\xf0\x9d',b'\xf4\x90\x80\x80',b'\xc0\x80',b'\xe2\x82',b'\x80',b'\xff',b' ',b'abc','͏a̧'.encode(),'\ufffd'.encode(), b'\xa4',b'\xf5', '\uff21'.encode(),'\u00a1'.encode(), '\u2028'.encode(), '\U0001f600'.encode()]
def rnd():
    if random.random()<.3: return bytes(random.randrange(256) for _ in range(random.randrange(6)))
    return b''.join(random.choice(frag) for _ in range(random.randrange(7)))
for i in range(n):
    s=rnd(); op=random.choice('tolocal fromlocal json pjson tjson lower upper tlower tupper width trim ltrim utf8b getcols'.split())
    c={'Op':op,'S':L(s),'N':random.randrange(0,8)}
    ell=random.choice([b'',b'...',b'+'])
    c['E']=L(ell)
    try:
        if op=='tolocal':
            r=E.tolocal(s); w=L(r)+'|'+L(E.fromlocal(r))
        elif op=='fromlocal': w=L(E.fromlocal(s))
        elif op=='json': w=L(E.jsonescape(s))
        elif op=='pjson': w=L(E.jsonescape(s,True))
        elif op=='tjson': w=L(E.jsonescape(E.tolocal(s)))
        elif op=='lower': w=L(E.lower(s))
        elif op=='upper': w=L(E.upper(s))
        elif op=='tlower': w=L(E.lower(E.tolocal(s)))
        elif op=='tupper': w=L(E.upper(E.tolocal(s)))
        elif op=='width': w=str(E.colwidth(s))
        elif op=='trim': w=L(E.trim(s,c['N'],ell))
        elif op=='ltrim': w=L(E.trim(s,c['N'],ell,leftside=True))
        elif op=='utf8b': w=L(E.toutf8b(s))
        elif op=='getcols':
            try: w=L(E.getcols(s,0,c['N']))
            except ValueError: w='NONE'
    except error.Abort as e: w='abort: '+L(e.message)
    except Exception as e: w='EXC '+repr(e)
    c['Want']=w; print(json.dumps(c))
