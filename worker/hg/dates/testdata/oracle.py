# SPDX-License-Identifier: GPL-2.0-or-later
#
# Asks Mercurial itself what random dates mean. Run by the Python of an
# installed hg: oracle.py TZ SEED COUNT. One JSON object a line. Bytes are
# written as ISO-8859-1.
import sys,json,random,time,os,datetime
tz=sys.argv[1]; seed=int(sys.argv[2]); os.environ['TZ']=tz; time.tzset()
from mercurial.utils import dateutil
from mercurial import error, templatefilters, pycompat
random.seed(seed)
NOW=[0.0]
real_time=time.time
time.time=lambda: NOW[0]
class FD(datetime.date):
    @classmethod
    def today(cls): return datetime.date.fromtimestamp(NOW[0])
class M: pass
import types
dm=types.ModuleType('datetime'); 
for k in dir(datetime): setattr(dm,k,getattr(datetime,k))
dm.date=FD
dateutil.datetime=dm
def err(e):
    if isinstance(e,error.ParseError): return 'hg: parse error: '+e.message.decode()
    return 'abort: '+e.message.decode()
words=['2006','06','12','1','31','29','2','Feb','feb','Apr','December','Mon','sun',':',':','-','-','/',' ',' ',' ','T','Z','+0100','-05:30','GMT','UTC','am','PM','10:30','23:59:59','24:00','12:00AM','today','yesterday','now','to',' to ','<','>','-3','0','1234567890','4294967296','@',',','  ','\t','_1','60','61','1970-01-01','2008-02-30','2020-02-29', '13/1','12/6/06','3pm','3:39pm','+1100','-1500','é']
fm=dateutil.extendeddateformats
def rnd():
    k=random.random()
    if k<0.45:
        f=random.choice(fm).decode()
        t=random.randrange(-2**31,2**31) if random.random()<.3 else random.randrange(0,1700000000)
        s=(datetime.datetime(1970,1,1)+datetime.timedelta(seconds=t)).strftime(f)
        if random.random()<.2: s=s.lower()
        if random.random()<.2: s=s.replace('-0','-',1).replace(' 0',' ',1)
        if random.random()<.3: s+=random.choice([' +0000','+0200',' -0730','Z',' GMT','+05:30',' +1400',' -1200',' -1300','  UTC','-1'])
        if random.random()<.15 and s:
            i=random.randrange(len(s)); s=s[:i]+random.choice(words)+s[i+1:]
    elif k<0.55:
        s='%d %d'%(random.randrange(-2**32,2**32),random.randrange(-60000,60000))
    else:
        s=''.join(random.choice(words) for _ in range(random.randrange(0,6)))
    if random.random()<.1: s=' '+s+' '
    return s
out=[]
for i in range(int(sys.argv[3])):
    NOW[0]=random.choice([random.randrange(0,2**31-1), 1700000000, 1709164800])+random.choice([0,0.5])
    op=random.choice(['parse','xparse','match','match','fmt','age','sage'])
    c={'Op':op,'TZ':tz,'Now':NOW[0],'S':'','U':0,'O':0}
    if op in('fmt','age','sage'):
        c['U']=random.choice([random.randrange(-2**33,2**33), int(NOW[0])-random.randrange(0,10**random.randrange(1,9)), int(NOW[0])+random.randrange(0,10**random.randrange(1,10))]); c['O']=random.choice([0,3600,-3600,-19800,12600,43200,-50400,random.randrange(-50000,43000)])
        if op=='fmt':
            c['S']=''.join('%'+random.choice('aAbBcCdDeFgGhHIjklmMnpPrRStTuUVwWxXyYzZ%12f')+random.choice(['',' ','-','x']) for _ in range(random.randrange(0,5)))
            w=dateutil.datestr((c['U'],c['O']),c['S'].encode()).decode()
        else: w=templatefilters.age((c['U'],c['O']),op=='sage').decode()
    else:
        s=rnd(); c['S']=s.encode().decode('latin1')
        b=s.encode()
        try:
            if op=='match':
                p=b.strip()
                if p.count(b' to ')>1: continue
                f=dateutil.matchdate(b)
                # recover bounds
                cl=dict(zip(f.__code__.co_freevars,[x.cell_contents for x in f.__closure__]))
                import math
                if 'start' in cl: lo,hi=cl['start'],cl['stop']
                elif p[:1]==b'<': lo,hi=-2**63,cl['when']
                else: lo,hi=cl['when'],2**63-1
                w='%d %d'%(math.ceil(lo),math.floor(hi))
            else:
                d=dateutil.parsedate(b,fm if op=='xparse' else None)
                w='%d %d'%d
        except error.Abort as e: w=err(e)
        except Exception as e: continue
    c['Want']=w; print(json.dumps(c))
